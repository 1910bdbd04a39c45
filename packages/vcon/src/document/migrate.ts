import { formatDate, parseDate } from "./dates.ts";
import { VconError } from "./errors.ts";
import { detectForm } from "./form.ts";
import { isArray, member, stringMember } from "./json.ts";
import { mapEntries, renameMember, withoutMember } from "./json-edit.ts";
import type { JsonObject, JsonValue, Vcon, VconVersion } from "./types.ts";
import { vconVersions } from "./types.ts";

/**
 * A step from one version to the next. `rename` replaces names that the next version does not have; no document means
 * anything else by them, so it is also safe where the version is not given, or where an older library left old names
 * under a newer version (the reference does that to attachments). `convert` holds what the version must vouch for.
 */
interface Step {
  readonly from: VconVersion;
  readonly rename: (document: JsonObject) => JsonObject;
  readonly convert: (document: JsonObject) => JsonObject;
}

const steps: readonly Step[] = [
  { from: "0.0.1", rename: rename001, convert: (document) => mapEntries(document, "dialog", canonicalStart) },
  { from: "0.0.2", rename: rename002, convert: (document) => document },
  { from: "0.3.0", rename: rename030, convert: convert030 },
];

/**
 * The document as version 0.4.0 would put it. The input is never touched; the result shares what did not change, and
 * is the input itself when nothing did. A document that gives no version keeps none, and gets only the changes that
 * can mean nothing else. Signed and encrypted documents come back unchanged.
 *
 * @throws VconError unsupported_version
 */
export function migrate(document: Vcon): Vcon;
export function migrate(document: JsonObject): JsonObject;
export function migrate(document: JsonObject): JsonObject {
  return detectForm(document) === "unsigned" ? upgrade(document, "0.4.0") : document;
}

/** Where a version stands in `vconVersions`; -1 when none is given, or one that is not known. */
export function versionIndex(version: string | undefined): number {
  const known: readonly (string | undefined)[] = vconVersions;
  return known.indexOf(version);
}

/** Brings an unsigned document up to the given version; one that is newer already stays as it is. */
export function upgrade(document: JsonObject, target: VconVersion): JsonObject {
  const given = stringMember(document, "vcon");
  const version = versionIndex(given);
  if (given !== undefined && version < 0) {
    throw new VconError("unsupported_version", `vCon version ${JSON.stringify(given)} is not supported.`);
  }
  const goal = vconVersions.indexOf(target);
  if (version >= goal) return document;
  let result = document;
  for (const step of steps.slice(0, goal)) {
    result = step.rename(result);
    if (version >= 0 && vconVersions.indexOf(step.from) >= version) result = step.convert(result);
  }
  return version < 0 ? result : { ...result, vcon: target };
}

/* 0.0.1 -> 0.0.2 */

function rename001(document: JsonObject): JsonObject {
  let result = mapEntries(document, "dialog", modernContent);
  result = mapEntries(result, "analysis", (analysis) => modernContent(modernTranscript(analysis)));
  return mapEntries(result, "attachments", modernContent);
}

function canonicalStart(dialog: JsonObject): JsonObject {
  const time = parseDate(member(dialog, "start"));
  if (time === undefined) return dialog;
  const start = formatDate(time);
  return member(dialog, "start") === start ? dialog : { ...dialog, start };
}

function modernContent(entry: JsonObject): JsonObject {
  return contentHash(renameMember(entry, "mimetype", "mediatype"));
}

/** `alg` and `signature` become one `content_hash` token, for hashes and for the one signature scheme 0.0.1 had. */
function contentHash(entry: JsonObject): JsonObject {
  const alg = stringMember(entry, "alg");
  const digest = stringMember(entry, "signature");
  if (alg === undefined || digest === undefined || Object.hasOwn(entry, "content_hash")) return entry;
  const name = alg.toLowerCase() === "lm-ots" ? "LMOTS_SHA256_N32_W8" : alg;
  if (!/^(?:sha|lmots)/i.test(name)) return entry;
  const token = `${name.toLowerCase().replaceAll("-", "")}-${digest}`;
  const moved = renameMember(
    { ...withoutMember(entry, "alg"), signature: token },
    "signature",
    "content_hash",
  );
  return moved;
}

function modernTranscript(analysis: JsonObject): JsonObject {
  let result = renameMember(analysis, "vendor_schema", "schema");
  result = renameMember(result, "vendor_product", "product");
  if (stringMember(result, "type") !== "transcript") return result;
  if (
    stringMember(result, "vendor")?.toLowerCase() === "whisper" &&
    member(result, "product") === undefined
  ) {
    result = { ...result, vendor: "openai", product: "whisper" };
  }
  const transcript = member(result, "transcript");
  if (transcript === undefined || Object.hasOwn(result, "body")) return result;
  const encoding = typeof transcript === "string" ? "none" : "json";
  return { ...renameMember(result, "transcript", "body"), encoding };
}

/* 0.0.2 -> 0.3.0 */

function rename002(document: JsonObject): JsonObject {
  return mapEntries(document, "dialog", (dialog) =>
    renameMember(
      renameMember(dialog, "transfer-target", "transfer_target"),
      "target-dialog",
      "target_dialog",
    ),
  );
}

/* 0.3.0 -> 0.4.0 */

function rename030(document: JsonObject): JsonObject {
  let result = renameMember(document, "appended", "amended");
  result = renameMember(result, "must_support", "critical");
  return mapEntries(result, "dialog", (dialog) => {
    const given = member(dialog, "session_id");
    const session_id = given === undefined ? undefined : sessionId(given);
    return session_id === undefined || session_id === given ? dialog : { ...dialog, session_id };
  });
}

/** `group: []`, `redacted: {}` and the like were written by old libraries into every document and say nothing. */
function convert030(document: JsonObject): JsonObject {
  let result = document;
  for (const name of ["group", "redacted", "amended"]) {
    const value = member(result, name);
    if (value !== undefined && isEmpty(value)) result = withoutMember(result, name);
  }
  return mapEntries(result, "attachments", (attachment) => renameMember(attachment, "type", "purpose"));
}

function isEmpty(value: JsonValue): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

/** A string is the value of a Session-ID header (RFC 7989): `<local>` or `<local>;remote=<remote>`. */
function sessionId(value: JsonValue): JsonValue {
  if (isArray(value)) {
    const next = value.map(sessionId);
    return next.some((entry, index) => entry !== value[index]) ? next : value;
  }
  if (typeof value !== "string") return value;
  const [local = "", ...parameters] = value.split(";").map((part) => part.trim());
  const remote = parameters.find((part) => part.startsWith("remote="))?.slice("remote=".length);
  return remote === undefined ? { local } : { local, remote };
}
