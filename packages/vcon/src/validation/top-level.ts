import { isArray, isObject, member, stringMember } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { vconVersions } from "../document/types.ts";
import { date, type Kind, memberTypes, missing, object, string, strings } from "./member-types.ts";
import { dateRules, eachString, removedMembers, renamedMembers } from "./member-values.ts";
import { UUID, UUID_VERSION_8 } from "./patterns.ts";
import { about, essential, must, oneOf, type Rule, should, shown } from "./rule.ts";

const NEWEST = "0.4.0";
const MAX_UUID = 255;
const LISTS = ["parties", "dialog", "analysis", "attachments"];

const list: Kind = { wanted: "an array of objects", accepts: isArray };
/** Seconds since 1970 occur and are read. */
const creation: Kind = {
  wanted: 'a date such as "2026-03-04T05:06:07Z"',
  accepts: (value) => typeof value === "string" || (typeof value === "number" && value > 0),
};
/** What `creation` refuses is reported already. */
const noNumber: Kind = {
  wanted: creation.wanted,
  accepts: (value) => typeof value !== "number" || !creation.accepts(value),
};

/** The vCon Object. */
export const topLevelRules: readonly Rule[] = [
  ...memberTypes(
    {
      uuid: string,
      vcon: string,
      created_at: creation,
      parties: list,
      dialog: list,
      analysis: list,
      attachments: list,
    },
    {
      created_at: noNumber,
      updated_at: date,
      subject: string,
      extensions: strings,
      critical: strings,
      redacted: object,
      amended: object,
    },
  ),
  essential("entry-type", ({ object }, report) => {
    for (const name of LISTS) {
      const entries = member(object, name);
      if (!isArray(entries)) continue;
      for (const [at, entry] of entries.entries()) {
        if (isObject(entry)) continue;
        const message = `${name} may have objects only, not ${shown(entry)}; put {} where something was taken out`;
        if (!report([name, at], message, entry)) return;
      }
    }
  }),
  essential("uuid-missing", ({ object }, report) => {
    if (missing(object, ["uuid"]).length > 0 || member(object, "uuid") === "") {
      report(["uuid"], "uuid is missing; give the vCon a UUID of its own");
    }
  }),
  essential(
    "uuid-unusable",
    eachString(["uuid"], (_name, value, report) => {
      if (value.length > MAX_UUID)
        report(["uuid"], `uuid has more than ${MAX_UUID} characters; give a UUID`, value);
      else if (/\p{Cc}/u.test(value) || !value.isWellFormed()) {
        report(["uuid"], "uuid has control characters or broken Unicode; give a UUID", value);
      }
    }),
  ),
  uuidFormat(),
  should(
    "uuid-version",
    eachString(["uuid"], (_name, value, report) => {
      if (!UUID.test(value) || UUID_VERSION_8.test(value)) return;
      report(["uuid"], "uuid should be a UUID of version 8 (see newUuid)", value);
    }),
  ),
  essential(
    "version-unknown",
    eachString(["vcon"], (_name, value, report) => {
      if (vconVersions.some((known) => known === value)) return;
      report(["vcon"], `vcon ${shown(value)} is no known version; write "${NEWEST}" or leave it out`, value);
    }),
  ),
  must(
    "version-old",
    eachString(["vcon"], (_name, value, report) => {
      if (value === NEWEST || !vconVersions.some((known) => known === value)) return;
      report(
        ["vcon"],
        `vcon ${shown(value)} is an old version; bring the document to "${NEWEST}" (see migrate)`,
        value,
      );
    }),
  ),
  must("created-at-missing", ({ object }, report) => {
    if (missing(object, ["created_at"]).length > 0) {
      report(["created_at"], "created_at is missing; give the date at which the vCon was first made");
    }
  }),
  ...dateRules("created_at", "updated_at"),
  should("no-list", ({ object }, report) => {
    if (missing(object, LISTS).length < LISTS.length) return;
    report(
      [],
      `the vCon should have at least one of ${oneOf(LISTS)}, even if empty, so that its form can be told`,
    );
  }),
  must(
    "redacted-and-amended",
    about(["amended"], ({ object }, report) => {
      if (!says(object, "redacted") || !says(object, "amended")) return;
      report(
        ["amended"],
        "redacted and amended exclude each other; keep the one that tells how this vCon was made",
      );
    }),
  ),
  must(
    "empty-reference",
    about(["redacted", "amended"], ({ object }, report) => {
      for (const name of ["redacted", "amended"] as const) {
        if (!isObject(member(object, name)) || says(object, name)) continue;
        report([name], `${name} is an empty object, which says nothing; leave it out`);
      }
    }),
  ),
  should(
    "critical-undeclared",
    about(["critical"], ({ object }, report) => {
      const critical = member(object, "critical");
      if (!isArray(critical)) return;
      const declared: ReadonlySet<JsonValue> = new Set(listOf(member(object, "extensions")));
      for (const [at, name] of critical.entries()) {
        if (typeof name !== "string" || declared.has(name)) continue;
        report(
          ["critical", at],
          `critical names ${shown(name)}, extensions does not; it should be named there too`,
          name,
        );
      }
    }),
  ),
  renamedMembers({ appended: "amended", must_support: "critical" }),
  removedMembers({ group: "leave it out" }),
];

/** The Redacted Object and the Amended Object, where they are not empty. */
export const referenceRules: readonly Rule[] = [
  ...memberTypes({}, { uuid: string, type: string }),
  uuidFormat(),
  must(
    "own-uuid",
    about(["uuid"], ({ object, whole }, report) => {
      const uuid = stringMember(object, "uuid");
      if (uuid === undefined || uuid !== stringMember(whole.document, "uuid")) return;
      report(["uuid"], "uuid is that of this very vCon; a redacted or amended vCon needs a new one", uuid);
    }),
  ),
];

export const redactedRules: readonly Rule[] = [
  must("redacted-type-missing", ({ object }, report) => {
    if (missing(object, ["type"]).length > 0)
      report(["type"], "type is missing; say what kind of information was taken out");
  }),
  should("redacted-uuid-missing", ({ object }, report) => {
    if (missing(object, ["uuid"]).length === 0) return;
    report(["uuid"], "uuid should name the less redacted vCon, unless there is none to be had");
  }),
];

export const amendedRules: readonly Rule[] = [
  must("amended-uuid-missing", ({ object }, report) => {
    if (missing(object, ["uuid", "url"]).length < 2) return;
    report(["uuid"], "uuid is missing; name the vCon that this one amends, or give its url and content_hash");
  }),
];

function uuidFormat(): Rule {
  return must(
    "uuid-format",
    eachString(["uuid"], (_name, value, report) => {
      if (value === "" || UUID.test(value)) return;
      report(["uuid"], `uuid ${shown(value)} is no UUID such as 019cd912-0286-84f5-b708-0d221ebaf96f`, value);
    }),
  );
}

/** Is the member an object that is not empty? Old libraries write empty ones everywhere. */
export function says(document: JsonObject, name: "redacted" | "amended"): boolean {
  const value = member(document, name);
  return isObject(value) && Object.keys(value).length > 0;
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return isArray(value) ? value : [];
}
