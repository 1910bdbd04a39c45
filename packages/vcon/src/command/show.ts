import { parseDate } from "../document/dates.ts";
import { isArray, isObject, member, stringMember } from "../document/json.ts";
import { readTags } from "../document/tags.ts";
import type { JsonObject, Vcon } from "../document/types.ts";
import { type Clock, clockIn } from "./show-clock.ts";
import { shownMember } from "./show-content.ts";
import { dialogRows } from "./show-dialogs.ts";
import { countText } from "./show-figures.ts";
import { flow, layOut, pairs, type Row } from "./show-layout.ts";
import { analysisRows, attachmentRows, partyRows } from "./show-parts.ts";
import { statsFacts } from "./show-stats.ts";
import { type Styles, stylesFor } from "./show-style.ts";
import { timeline } from "./show-timeline.ts";
import { visible } from "./show-visible.ts";
import { NARROWEST, wrap } from "./show-width.ts";

export interface ShowOptions {
  /** Columns; fewer than 40 count as 40. */
  readonly width: number;
  /** Escape sequences for colours, whatever the environment says. */
  readonly colour: boolean;
  /** For example "Europe/Berlin". Default: UTC */
  readonly timeZone?: string;
  /** How many things are wrong with the document; told when given. */
  readonly findings?: number;
}

/**
 * A vCon for people: what it is, who takes part, what there is, and the whole conversation. Lines end with a line feed
 * and take at most `width` columns. No control characters or invisible ones of the document get into it.
 *
 * @throws VconError invalid_option the time zone is not known
 */
export function renderSummary(
  vcon: Vcon,
  { width: given, colour, timeZone = "UTC", findings }: ShowOptions,
): string {
  const width = Math.max(NARROWEST, Math.floor(given));
  const styles = stylesFor(colour);
  const clock = clockIn(timeZone);
  const list = (title: string, rows: readonly Row[]): readonly string[] =>
    rows.length === 0 ? [] : ["", heading(title, rows.length, styles), ...layOut(rows, { width, styles })];
  const lines = [
    ...header(vcon, { width, styles, clock, findings }),
    ...list("Parties", partyRows(vcon)),
    ...list("Dialogs", dialogRows(vcon, clock)),
    ...list("Analyses", analysisRows(vcon)),
    ...list("Attachments", attachmentRows(vcon)),
    "",
    ...conversation(vcon, { width, styles, clock }),
  ];
  return `${lines.join("\n")}\n`;
}

interface Page {
  readonly width: number;
  readonly styles: Styles;
  readonly clock: Clock;
}

function heading(title: string, count: number, styles: Styles): string {
  return `${styles.heading(title)} ${styles.dim(`(${count})`)}`;
}

function header(
  vcon: Vcon,
  { width, styles, clock, findings }: Page & { readonly findings: number | undefined },
): readonly string[] {
  const tags = readTags(vcon).map(visible);
  const facts = pairs(
    [
      ["uuid", visible(vcon.uuid)],
      ["created", dateOf(vcon, "created_at", clock)],
      ["updated", dateOf(vcon, "updated_at", clock)],
      ["version", shownMember(vcon, "vcon") || undefined],
      ["redacted from", priorOf(vcon, "redacted")],
      ["amended from", priorOf(vcon, "amended")],
      ["extensions", namesIn(vcon, "extensions")],
      ["critical", namesIn(vcon, "critical")],
      ["tags", tags.length === 0 ? undefined : tags.join(", ")],
      ["checked", findings === undefined ? undefined : findingsText(findings)],
    ],
    { width, styles },
  );
  const subject = shownMember(vcon, "subject") || "(no subject)";
  return [...wrap(subject, width).map(styles.title), "", ...facts];
}

function dateOf(vcon: JsonObject, name: string, clock: Clock): string | undefined {
  const time = parseDate(member(vcon, name));
  if (time === undefined) return shownMember(vcon, name) || undefined;
  return `${clock.date(time)} ${clock.time(time)} ${clock.zone(time)}`;
}

function findingsText(findings: number): string {
  return findings === 0 ? "no findings" : countText(findings, "finding");
}

/** The document that this one was made from: its uuid, and what kind of information was taken away. */
function priorOf(vcon: JsonObject, name: string): string | undefined {
  const prior = member(vcon, name);
  // Old libraries write `{}` into every document.
  if (!isObject(prior) || Object.keys(prior).length === 0) return undefined;
  const type = stringMember(prior, "type") ?? "";
  const uuid = shownMember(prior, "uuid") || "a vCon that is not named";
  return type === "" ? uuid : `${uuid} (${visible(type)})`;
}

function namesIn(vcon: JsonObject, name: string): string | undefined {
  const list = member(vcon, name);
  const names = isArray(list) ? list.filter((entry) => typeof entry === "string").map(visible) : [];
  return names.length === 0 ? undefined : names.join(", ");
}

function conversation(vcon: Vcon, { width, styles, clock }: Page): readonly string[] {
  const lines = timeline(vcon, { width, styles, clock });
  const { totals, shares } = statsFacts(vcon);
  const title = styles.heading("Conversation");
  if (lines.length === 0) {
    return [
      title,
      ...wrap("  No words: there are neither text dialogs nor transcripts that can be read.", width),
    ];
  }
  const figures = [...flow(totals, width - 2), ...flow(shares, width - 2)].map(
    (line) => `  ${styles.dim(line)}`,
  );
  return [title, ...figures, "", ...lines];
}
