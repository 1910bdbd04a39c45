import { isArray, member, objectsMember, stringMember } from "../document/json.ts";
import { partyLabels } from "../document/parties.ts";
import type { JsonObject } from "../document/types.ts";
import { contentFacts, shownMember } from "./show-content.ts";
import { numbersText } from "./show-dialogs.ts";
import type { Row } from "./show-layout.ts";
import { visible } from "./show-visible.ts";

/** One row per party: number, what to call it, role; then addresses and where it belongs. */
export function partyRows(vcon: JsonObject): readonly Row[] {
  const labels = partyLabels(vcon);
  return objectsMember(vcon, "parties").map((party, index) => {
    const name = withoutScheme(visible(labels[index] ?? ""));
    const addresses = ["tel", "mailto", "sip", "did"].map((kind) => withoutScheme(shownMember(party, kind)));
    return {
      cells: [String(index), name, shownMember(party, "role") || shownMember(party, "type")],
      facts: [
        ...addresses.filter((address) => address !== name),
        shownMember(party, "dept"),
        shownMember(party, "org"),
      ].filter((fact) => fact !== ""),
    };
  });
}

function withoutScheme(address: string): string {
  return address.replace(/^(?:tel|mailto|sips?):/i, "");
}

/** One row per analysis: number, type, who made it, of which dialog; then its content, and the beginning of a text. */
export function analysisRows(vcon: JsonObject): readonly Row[] {
  return objectsMember(vcon, "analysis").map((analysis, index) => {
    const maker = [shownMember(analysis, "vendor"), shownMember(analysis, "product")];
    const dialogs = member(analysis, "dialog");
    const numbers = numbersText(dialogs);
    const several = isArray(dialogs) && dialogs.length > 1 ? "dialogs" : "dialog";
    return {
      cells: [
        String(index),
        shownMember(analysis, "type") || "(no type)",
        maker.filter((text) => text !== "").join(" / "),
        numbers === "" ? "" : `${several} ${numbers}`,
      ],
      facts: contentFacts(analysis),
      below: firstLine(analysis),
    };
  });
}

/** How far into a body its first line with words is looked for. */
const FIRST_LINE_WITHIN = 2000;

function firstLine(analysis: JsonObject): string {
  const body = stringMember(analysis, "encoding") === "base64url" ? "" : stringMember(analysis, "body");
  const lines = (body ?? "").slice(0, FIRST_LINE_WITHIN).split(/[\r\n]/);
  return visible(lines.find((line) => /[\p{L}\p{N}]/u.test(line)) ?? "");
}

/** One row per attachment: number, purpose, whose and of which dialog; then its content. */
export function attachmentRows(vcon: JsonObject): readonly Row[] {
  return objectsMember(vcon, "attachments").map((attachment, index) => {
    const party = numbersText(member(attachment, "party"));
    const dialog = numbersText(member(attachment, "dialog"));
    const about = [party === "" ? "" : `party ${party}`, dialog === "" ? "" : `dialog ${dialog}`];
    return {
      cells: [
        String(index),
        shownMember(attachment, "purpose") || shownMember(attachment, "type") || "(no purpose)",
        about.filter((text) => text !== "").join(", "),
      ],
      facts: contentFacts(attachment),
    };
  });
}
