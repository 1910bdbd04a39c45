import { has, isArray, member } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { CONTENT_HASH } from "./patterns.ts";
import { about, type MemberCheck, must, type Path, type Rule, should, shown } from "./rule.ts";

/** The characters of an unpadded base64url digest, by algorithm. These are the ones that can be checked here. */
const DIGEST_LENGTHS = new Map([
  ["sha256", 43],
  ["sha384", 64],
  ["sha512", 86],
]);

export const contentHashRules: readonly Rule[] = [
  must("content-hash", eachHash(checkForm)),
  must("content-hash-length", eachHash(checkLength)),
  should("content-hash-algorithm", eachHash(checkAlgorithm)),
  must(
    "old-hash",
    about(["alg"], ({ object }, report) => {
      if (!has(object, "alg") || !has(object, "signature") || has(object, "content_hash")) return;
      report(
        ["signature"],
        "alg and signature are one content_hash since, such as sha512-…; join them (see migrate)",
      );
    }),
  ),
];

type HashCheck = (token: string, report: (message: string) => void) => void;

function eachHash(check: HashCheck): MemberCheck {
  return about(["content_hash"], ({ object }, report) => {
    for (const [at, token] of hashesOf(object)) check(token, (message) => report(at, message, token));
  });
}

function hashesOf(object: JsonObject): readonly (readonly [Path, string])[] {
  const given: JsonValue = member(object, "content_hash") ?? null;
  if (typeof given === "string") return [[["content_hash"], given]];
  if (!isArray(given)) return [];
  return given.flatMap((token, at) =>
    typeof token === "string" ? [[["content_hash", at], token] as const] : [],
  );
}

function checkForm(token: string, report: (message: string) => void): void {
  if (CONTENT_HASH.test(token)) return;
  const advice = token.endsWith("=") ? "leave the padding off" : "write sha512-<digest in base64url>";
  report(`content_hash ${shown(token)} is not <algorithm>-<unpadded base64url>; ${advice}`);
}

function checkLength(token: string, report: (message: string) => void): void {
  const { algorithm, digest } = parts(token);
  const length = DIGEST_LENGTHS.get(algorithm);
  if (length === undefined || digest.length === length || !CONTENT_HASH.test(token)) return;
  const hint = /^[0-9a-f]+$/.test(digest)
    ? "; it looks like hexadecimal, encode it as base64url"
    : "; hash the content again";
  report(`content_hash has a digest of ${digest.length} characters, ${algorithm} has ${length}${hint}`);
}

function checkAlgorithm(token: string, report: (message: string) => void): void {
  const { algorithm } = parts(token);
  if (DIGEST_LENGTHS.has(algorithm) || !CONTENT_HASH.test(token)) return;
  report(`content_hash of algorithm ${shown(algorithm)} cannot be checked by everybody; add one of sha512`);
}

function parts(token: string): { readonly algorithm: string; readonly digest: string } {
  const hyphen = token.indexOf("-");
  return { algorithm: token.slice(0, hyphen), digest: token.slice(hyphen + 1) };
}
