import { parseDate, plausibleSeconds } from "../document/dates.ts";
import { isArray, member, numberMember, objectsMember, stringMember } from "../document/json.ts";
import { dialogParties, originatorOf } from "../document/parties.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import type { Clock } from "./show-clock.ts";
import { contentFacts, shownMember } from "./show-content.ts";
import { countText, durationText } from "./show-figures.ts";
import type { Row } from "./show-layout.ts";

/** One row per dialog: number, type, start, duration, parties; then what else is known. */
export function dialogRows(vcon: JsonObject, clock: Clock): readonly Row[] {
  let day = "";
  return objectsMember(vcon, "dialog").map((dialog, index) => {
    const time = parseDate(member(dialog, "start"));
    const date = time === undefined ? "" : clock.date(time);
    const start = time === undefined ? shownMember(dialog, "start") : `${date} ${clock.time(time)}`;
    // The date is said once for a day, so that a chat's times can be compared.
    const shown = date !== "" && date === day ? start.replace(date, " ".repeat(date.length)) : start;
    day = date || day;
    const seconds = plausibleSeconds(member(dialog, "duration"));
    return {
      cells: [
        String(index),
        shownMember(dialog, "type") || "(no type)",
        shown,
        !seconds ? "" : durationText(seconds),
        whoText(dialog),
      ],
      facts: dialogFacts(dialog),
    };
  });
}

function dialogFacts(dialog: JsonObject): readonly string[] {
  const type = stringMember(dialog, "type");
  const content = contentFacts(dialog);
  const holdsContent = type === "recording" || type === "text";
  const hasContent = ["body", "url"].some((name) => (member(dialog, name) ?? "") !== "");
  const history = objectsMember(dialog, "party_history").length;
  return [
    shownMember(dialog, "disposition"),
    ...linkFacts(dialog),
    ...content,
    holdsContent && !hasContent ? "no content" : "",
    shownMember(dialog, "application"),
    history === 0 ? "" : countText(history, "party event"),
  ].filter((fact) => fact !== "");
}

const links = [
  "transferor",
  "transferee",
  "transfer_target",
  "original",
  "consultation",
  "target_dialog",
  "recordings",
  "recording_set",
] as const;

function linkFacts(dialog: JsonObject): readonly string[] {
  return links.flatMap((name) => {
    const numbers = numbersText(member(dialog, name));
    return numbers === "" ? [] : [`${name.replaceAll("_", " ")} ${numbers}`];
  });
}

/** An index, or several; empty for anything else. */
export function numbersText(value: JsonValue | undefined): string {
  const list = isArray(value) ? value : [value];
  return list.filter((entry) => typeof entry === "number").join(", ");
}

/** "1 → 0, 2" for who began, "0 | 1" for one party per channel of a recording. */
function whoText(dialog: JsonObject): string {
  const given = member(dialog, "parties");
  const parties = dialogParties(dialog);
  const nested = isArray(given) && given.some((channel) => typeof channel !== "number");
  if (isArray(given) && nested) return given.map(channelText).join(" | ");
  const first = originatorOf(dialog);
  const others = parties.filter((party) => party !== first);
  const directed =
    stringMember(dialog, "type") === "text" || numberMember(dialog, "originator") !== undefined;
  if (first === undefined) return "";
  return directed && others.length > 0 ? `${first} → ${others.join(", ")}` : parties.join(", ");
}

function channelText(channel: JsonValue): string {
  return numbersText(isArray(channel) ? channel.flat(4) : channel) || "–";
}
