import { has, stringMember } from "../document/json.ts";
import { contentRules, contentTypes, mediatypeMissing } from "./content.ts";
import { contentHashRules } from "./content-hash.ts";
import { demandsOf, dialogTypes, membersWith } from "./dialog-members.ts";
import { partiesRules } from "./dialog-parties.ts";
import { dialogReferenceRules } from "./dialog-references.ts";
import {
  anything,
  date,
  index,
  indices,
  memberTypes,
  missing,
  objects,
  seconds,
  string,
} from "./member-types.ts";
import { dateRules, eachString, extensionMembers, renamedMembers } from "./member-values.ts";
import { about, must, oneOf, type Rule, should, shown } from "./rule.ts";
import { sessionIdRules } from "./session-id.ts";

export const dispositions = [
  "no-answer",
  "congestion",
  "failed",
  "busy",
  "hung-up",
  "voicemail-no-message",
] as const;

/** What else to say when a member is missing that its type of dialog needs. */
const HINTS: Readonly<Record<string, string>> = {
  recordings: "list the indices of its recordings",
  disposition: `say why: ${oneOf(dispositions)} ("failed" when it is not known)`,
  start: "give the date at which it began",
  parties: "give the indices of those who take part",
};

/** The Dialog Object. How many channels a recording has is not known here, so nothing is said about channels. */
export const dialogRules: readonly Rule[] = [
  ...memberTypes(
    { type: string },
    {
      ...contentTypes,
      start: date,
      duration: seconds,
      parties: anything,
      originator: index,
      session_id: anything,
      recordings: indices,
      recording_set: index,
      disposition: string,
      party_history: objects,
      transferee: index,
      transferor: index,
      transfer_target: index,
      original: index,
      consultation: index,
      target_dialog: index,
      application: string,
      message_id: string,
    },
  ),
  must("dialog-type-missing", ({ object }, report) => {
    if (missing(object, ["type"]).length === 0) return;
    report(["type"], `type is missing; it is ${oneOf(dialogTypes)}`);
  }),
  must(
    "dialog-type",
    eachString(["type"], (_name, value, report) => {
      if (demandsOf(value) !== undefined) return;
      const advice =
        value === "video"
          ? "a video is a recording with a mediatype of video/…"
          : `use ${oneOf(dialogTypes)}`;
      report(["type"], `type ${shown(value)} is no type of dialog; ${advice}`, value);
    }),
  ),
  must("dialog-member-missing", ({ object }, report) => {
    for (const name of membersWith(stringMember(object, "type"), "M")) {
      if (has(object, name)) continue;
      report(
        [name],
        `${name} is missing in this ${stringMember(object, "type")} dialog; ${HINTS[name] ?? "give it"}`,
      );
    }
  }),
  should("dialog-member-recommended", ({ object }, report) => {
    for (const name of membersWith(stringMember(object, "type"), "S")) {
      if (has(object, name)) continue;
      const advice = HINTS[name] ?? "give its index";
      report(
        [name],
        `${name} should be in a ${stringMember(object, "type")} dialog where it is known; ${advice}`,
      );
    }
  }),
  must("dialog-member-not-allowed", ({ object, names }, report) => {
    const type = stringMember(object, "type");
    const demands = demandsOf(type);
    if (demands === undefined) return;
    for (const name of names) {
      if (demands.get(name) === "X" && has(object, name)) {
        report(
          [name],
          `${name} is not allowed in a ${type} dialog; leave it out, or give the dialog another type`,
        );
      }
    }
  }),
  should(
    "disposition-needless",
    about(["disposition"], ({ object }, report) => {
      const type = stringMember(object, "type");
      if (!has(object, "disposition") || demandsOf(type)?.get("disposition") !== "N") return;
      report(
        ["disposition"],
        `disposition should be in incomplete dialogs only; leave it out of this ${type} dialog`,
      );
    }),
  ),
  must(
    "disposition",
    eachString(["disposition"], (_name, value, report) => {
      if (dispositions.some((known) => known === value)) return;
      report(["disposition"], `disposition ${shown(value)} is not known; use ${oneOf(dispositions)}`, value);
    }),
  ),
  should("content-missing", ({ object, whole }, report) => {
    const type = stringMember(object, "type");
    if ((type !== "recording" && type !== "text") || whole.redacted) return;
    if (has(object, "body") || has(object, "url")) return;
    report(["body"], `a ${type} dialog should have content: body and encoding, or url and content_hash`);
  }),
  should(
    "dialog-mediatype",
    eachString(["mediatype"], (_name, value, report) => {
      if (!/^(?:image|font|model)\//i.test(value)) return;
      report(
        ["mediatype"],
        `a dialog should have what can be transcribed; put ${shown(value)} into attachments`,
        value,
      );
    }),
  ),
  ...dateRules("start"),
  ...partiesRules,
  ...sessionIdRules,
  ...dialogReferenceRules,
  ...contentRules,
  ...contentHashRules,
  mediatypeMissing,
  extensionMembers("campaign", "interaction_type", "interaction_id", "skill"),
  renamedMembers({
    mimetype: "mediatype",
    "transfer-target": "transfer_target",
    "target-dialog": "target_dialog",
  }),
];
