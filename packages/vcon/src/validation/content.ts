import { has, member, parseJson, stringMember } from "../document/json.ts";
import type { JsonObject } from "../document/types.ts";
import { hashes, string } from "./member-types.ts";
import { eachString } from "./member-values.ts";
import { BASE64URL, HTTPS_URL, MEDIATYPE } from "./patterns.ts";
import { about, must, oneOf, type Rule, should, shown } from "./rule.ts";

const encodings = ["base64url", "json", "none"] as const;
/** Longer text is looked at, but not parsed. */
const MAX_PARSED = 10_000;

/** The types of the members that say what the content is. */
export const contentTypes = {
  mediatype: string,
  filename: string,
  encoding: string,
  url: string,
  content_hash: hashes,
} as const;

/** Content that is elsewhere: `url` and its hash, also in Redacted and Amended Objects. */
export const externalRules: readonly Rule[] = [
  must(
    "url",
    eachString(["url"], (_name, value, report) => {
      if (!HTTPS_URL.test(value))
        report(["url"], `url ${shown(value)} is no URL of https; content is fetched from no other`, value);
    }),
  ),
  must(
    "content-hash-missing",
    about(["url"], ({ object }, report) => {
      const hash = member(object, "content_hash") ?? null;
      if (!has(object, "url") || (hash !== null && !(Array.isArray(hash) && hash.length === 0))) return;
      report(
        ["content_hash"],
        "content_hash is missing beside url; give the SHA-512 of the content (see contentHash)",
      );
    }),
  ),
];

/** Inline or external content of dialogs, analyses and attachments. */
export const contentRules: readonly Rule[] = [
  ...externalRules,
  must(
    "inline-and-external",
    about(["url"], ({ object }, report) => {
      if (!hasBody(object) || !has(object, "url")) return;
      report(["url"], "the content is both inline (body) and external (url); keep one of them");
    }),
  ),
  must(
    "encoding-missing",
    about(["body"], ({ object }, report) => {
      if (!hasBody(object) || has(object, "encoding")) return;
      report(["encoding"], `encoding is missing beside body; say ${oneOf(encodings)}`);
    }),
  ),
  must(
    "encoding",
    eachString(["encoding"], (_name, value, report) => {
      if (encodings.some((known) => known === value)) return;
      report(["encoding"], `encoding ${shown(value)} is not known; use ${oneOf(encodings)}`, value);
    }),
  ),
  must(
    "body-not-text",
    about(["body"], ({ object }, report) => {
      const body = member(object, "body");
      const encoding = stringMember(object, "encoding");
      if (body === undefined || typeof body === "string" || (encoding !== "none" && encoding !== "base64url"))
        return;
      report(
        ["body"],
        `with encoding ${encoding} body must be a string, not ${shown(body)}; use encoding json for it`,
      );
    }),
  ),
  must(
    "body-base64url",
    about(["body"], ({ object }, report) => {
      const body = member(object, "body");
      if (typeof body !== "string" || stringMember(object, "encoding") !== "base64url") return;
      if (BASE64URL.test(body) && body.length % 4 !== 1) return;
      report(["body"], `body is not base64url: ${whatIsWrong(body)}`);
    }),
  ),
  should(
    "body-json-text",
    about(["body"], ({ object }, report) => {
      const body = member(object, "body");
      if (typeof body !== "string" || stringMember(object, "encoding") !== "json" || !isJsonText(body))
        return;
      report(["body"], "body is JSON text within a string; with encoding json put the value itself");
    }),
  ),
  must(
    "mediatype",
    eachString(["mediatype"], (_name, value, report) => {
      if (!MEDIATYPE.test(value))
        report(["mediatype"], `mediatype ${shown(value)} is none such as "text/plain"`, value);
    }),
  ),
];

/** For dialogs and attachments, where the draft demands it. */
export const mediatypeMissing: Rule = must(
  "mediatype-missing",
  about(["body"], ({ object }, report) => {
    if (!hasBody(object) || has(object, "mediatype")) return;
    report(["mediatype"], 'mediatype is missing beside body; say what it is, for example "text/plain"');
  }),
);

/** Is there inline content? An empty string is none. */
export function hasBody(object: JsonObject): boolean {
  return has(object, "body") && member(object, "body") !== "";
}

function whatIsWrong(body: string): string {
  const bare = body.replace(/={1,2}$/, "");
  if (/[+/]/.test(bare)) return "it has + or /; write - and _ for them";
  if (!BASE64URL.test(bare)) return "it has characters of no base64 alphabet; encode the bytes as base64url";
  if (bare !== body) return "it ends in =; leave the padding off";
  return "its length is none that base64url can have, so something is cut off; encode the bytes again";
}

function isJsonText(body: string): boolean {
  const text = body.length > MAX_PARSED ? body : body.trim();
  const first = text.charAt(0);
  const last = first === "{" ? "}" : first === "[" ? "]" : undefined;
  if (last === undefined || text.at(-1) !== last) return false;
  return text.length > MAX_PARSED || parseJson(text) !== undefined;
}
