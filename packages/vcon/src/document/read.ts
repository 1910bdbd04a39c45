import { type Finding, VconError } from "./errors.ts";
import { detectForm, uuidOf } from "./form.ts";
import { has, isObject, stringMember } from "./json.ts";
import { exceedsDepth } from "./json-text.ts";
import { isEncryptedVcon, isSignedVcon, isVcon, shapeFindings } from "./shape.ts";
import {
  type EncryptedVcon,
  type JsonObject,
  type JsonValue,
  type SignedVcon,
  type Vcon,
  type VconForm,
  vconVersions,
} from "./types.ts";

interface Identity {
  /** An opaque string of 1 to 255 characters. */
  readonly uuid: string;
  /** What the document says in `vcon`; undefined when it does not, and for signed and encrypted ones. */
  readonly version: string | undefined;
}

/** A document that has been read: `form` says which of the three kinds `value` is. */
export type ReadVcon =
  | (Identity & { readonly form: "unsigned"; readonly value: Vcon })
  | (Identity & { readonly form: "signed"; readonly value: SignedVcon })
  | (Identity & { readonly form: "encrypted"; readonly value: EncryptedVcon });

/**
 * Reads a vCon of any form, version 0.0.1 to 0.4.0 or none, from its JSON text. Lenient: it refuses only what is not
 * a vCon or would mislead its readers, and names everything that is wrong at once.
 *
 * @param maxDepth how deep arrays and objects may nest. Default: 64
 * @throws VconError not_json, too_deep, not_a_vcon, unsupported_version, no_uuid
 */
export function readVcon(text: string, { maxDepth = 64 }: { readonly maxDepth?: number } = {}): ReadVcon {
  if (exceedsDepth(text, maxDepth)) {
    throw new VconError("too_deep", `The document nests deeper than ${maxDepth} levels.`);
  }
  const value = parse(text);
  const form = isObject(value) ? detectForm(value) : undefined;
  if (!isObject(value) || form === undefined) throw notAVcon(value);
  const version = form === "unsigned" ? stringMember(value, "vcon") : undefined;
  requireKnownVersion(version);
  const findings = shapeFindings(value, form);
  const uuid = uuidOf(value, form);
  requireShape(value, { form, findings, uuid });
  if (uuid === undefined) throw noUuid();
  const identity = { uuid, version };
  if (isVcon(value)) return { ...identity, form: "unsigned", value };
  if (isSignedVcon(value)) return { ...identity, form: "signed", value };
  if (isEncryptedVcon(value)) return { ...identity, form: "encrypted", value };
  throw notAVcon(value);
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new VconError("not_json", `The text is not JSON: ${reason}`, { cause });
  }
}

function notAVcon(value: JsonValue): VconError {
  const why = isObject(value)
    ? "It has none of parties, dialog, analysis, attachments (unsigned), payload and signatures (signed), ciphertext and recipients (encrypted)."
    : "It is not a JSON object.";
  return new VconError("not_a_vcon", `The document is not a vCon. ${why}`);
}

function noUuid(): VconError {
  const message = "vCon UUID: not set";
  return new VconError("no_uuid", message, { findings: [{ path: ["uuid"], message }] });
}

function requireKnownVersion(version: string | undefined): void {
  if (version === undefined || vconVersions.some((known) => known === version)) return;
  const message = `vCon version ${JSON.stringify(version.slice(0, 40))} is not supported. Known: ${vconVersions.join(", ")}.`;
  throw new VconError("unsupported_version", message, {
    findings: [{ path: ["vcon"], message, input: version.slice(0, 40) }],
  });
}

function requireShape(
  value: JsonObject,
  { form, findings, uuid }: { form: VconForm; findings: readonly Finding[]; uuid: string | undefined },
): void {
  // A uuid that a signed or encrypted document keeps inside obeys the same rules as one at the top.
  const inner = uuid !== undefined && findings.length === 0 ? shapeFindings({ uuid }, "unsigned") : [];
  const all = [...findings, ...inner];
  if (all.length === 0) return;
  if (uuid === undefined && !has(value, "uuid")) all.push({ path: ["uuid"], message: "vCon UUID: not set" });
  const first = all[0];
  const where = first === undefined ? "" : ` ${first.path.join(".")}: ${first.message}.`;
  throw new VconError("not_a_vcon", `The document is not a valid ${form} vCon.${where}`, { findings: all });
}
