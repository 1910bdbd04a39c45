import { has } from "../document/json.ts";
import { contentRules, contentTypes, mediatypeMissing } from "./content.ts";
import { contentHashRules } from "./content-hash.ts";
import { date, index, memberTypes, missing, string } from "./member-types.ts";
import { dateRules, renamedMembers } from "./member-values.ts";
import { indexRange } from "./references.ts";
import { about, must, type Rule, should } from "./rule.ts";

const HINTS: Readonly<Record<string, string>> = {
  start: "give the date at which it was sent or added",
  party: "give the index of the party who contributed it",
  dialog: "give the index of the dialog it belongs to",
};

/** The Attachment Object. */
export const attachmentRules: readonly Rule[] = [
  ...memberTypes({}, { ...contentTypes, purpose: string, start: date, party: index, dialog: index }),
  must("attachment-member-missing", ({ object }, report) => {
    for (const name of missing(object, ["start", "party", "dialog"])) {
      report([name], `${name} is missing; ${HINTS[name]}`);
    }
  }),
  should(
    "purpose-not-named",
    about(["type"], ({ object }, report) => {
      if (!has(object, "type") || has(object, "purpose")) return;
      report(
        ["type"],
        "type is called purpose since; rename it, unless an extension means something else by it",
      );
    }),
  ),
  ...dateRules("start"),
  indexRange({ parties: ["party"], dialog: ["dialog"] }),
  ...contentRules,
  ...contentHashRules,
  mediatypeMissing,
  renamedMembers({ mimetype: "mediatype" }),
];
