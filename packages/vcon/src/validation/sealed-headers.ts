import { decodeBase64url, decodeUtf8 } from "../document/base64url.ts";
import {
  equalJson,
  isArray,
  isObject,
  member,
  objectMember,
  parseJson,
  stringMember,
} from "../document/json.ts";
import { exceedsDepth } from "../document/json-text.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { eachString } from "./member-values.ts";
import { BASE64URL } from "./patterns.ts";
import {
  about,
  type Check,
  essential,
  must,
  type Path,
  type Report,
  type Rule,
  should,
  shown,
} from "./rule.ts";

/** A chain of certificates needs far less. */
const MAX_HEADER = 200_000;
const MAX_HEADER_DEPTH = 16;

/** The protected header of a JWS or JWE; undefined when there is none, or none that can be read. */
export function protectedHeader(object: JsonObject): JsonObject | undefined {
  const text = stringMember(object, "protected");
  if (text === undefined || text.length > MAX_HEADER) return undefined;
  const bytes = decodeBase64url(text);
  const json = bytes === undefined ? "" : decodeUtf8(bytes);
  const header = exceedsDepth(json, MAX_HEADER_DEPTH) ? undefined : parseJson(json);
  return isObject(header) ? header : undefined;
}

export function base64urlMembers(...names: readonly string[]): Rule {
  return must(
    "jose-base64url",
    eachString(names, (name, value, report) => {
      if (BASE64URL.test(value) && value.length % 4 !== 1) return;
      report([name], `${name} is not unpadded base64url; it is damaged, or was encoded in another way`);
    }),
  );
}

/** The protected header, where there is one, is a JSON object. */
export const protectedRule: Rule = must("protected-header", ({ object, whole }, report) => {
  if (!stringMember(object, "protected") || whole.protectedHeader(object) !== undefined) return;
  report(["protected"], "protected is no JSON object in base64url; seal the vCon again");
});

/** Parameters of an unprotected header that are strings. */
export function headerStrings(header: "header" | "unprotected", names: readonly string[]): Rule {
  const check: Check = ({ object }, report) => {
    const parameters = objectMember(object, header) ?? {};
    for (const name of names) {
      const value = member(parameters, name);
      if (value === undefined || typeof value === "string") continue;
      report([header, name], `${name} must be a string, not ${shown(value)}; seal the vCon again`, value);
    }
  };
  return must("header-parameter", about([header], check));
}

/** The uuid lets a document be found without opening it. */
export function headerUuid(header: "header" | "unprotected"): Rule {
  return should("header-uuid-missing", ({ object }, report) => {
    if (stringMember(objectMember(object, header) ?? {}, "uuid")) return;
    report([header, "uuid"], `${header} should have the uuid of the vCon; add it`);
  });
}

/** The value of a header parameter, in the first header that has it. */
export function parameter(name: string, headers: readonly (JsonObject | undefined)[]): JsonValue | undefined {
  return headers.map((header) => member(header ?? {}, name)).find((value) => (value ?? null) !== null);
}

/** A parameter that two headers have must be the same in both. */
export function contradiction(
  name: "header" | "unprotected",
  at: Path,
  headers: {
    readonly own: JsonObject | undefined;
    readonly other: JsonObject | undefined;
    readonly report: Report;
  },
): void {
  const { own = {}, other = {}, report } = headers;
  for (const parameterName of Object.keys(other)) {
    if (!Object.hasOwn(own, parameterName) || equalJson(own[parameterName], other[parameterName])) continue;
    const message = `${name} and protected contradict each other on ${shown(parameterName)}; seal the vCon again`;
    report([...at, parameterName], message);
  }
}

/** Entries that are not objects, and a list without any. */
export function entryRules(name: "signatures" | "recipients", advice: string): readonly Rule[] {
  return [
    essential("entry-type", ({ object }, report) => {
      for (const [at, entry] of listOf(object, name).entries()) {
        if (isObject(entry)) continue;
        if (!report([name, at], `${name} may have objects only, not ${shown(entry)}`, entry)) return;
      }
    }),
    must("sealed-for-nobody", ({ object }, report) => {
      if (isArray(member(object, name)) && listOf(object, name).length === 0) {
        report([name], `${name} is empty; ${advice}`);
      }
    }),
  ];
}

export function listOf(object: JsonObject, name: string): readonly JsonValue[] {
  const list = member(object, name);
  return isArray(list) ? list : [];
}
