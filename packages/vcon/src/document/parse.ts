import { VconError } from "./errors.ts";
import { detectForm } from "./form.ts";
import { gunzip, isGzip } from "./gzip.ts";
import { isObject, parseJson, stringMember } from "./json.ts";
import { exceedsDepth } from "./json-text.ts";
import { migrate } from "./migrate.ts";
import { type ReadVcon, readVcon } from "./read.ts";
import { rewrite } from "./rewrite.ts";
import { isEncryptedVcon, isSignedVcon } from "./shape.ts";
import type { EncryptedDocument, UnsignedDocument, UnverifiedDocument } from "./states.ts";
import type { EncryptedVcon, JsonObject, SignedVcon } from "./types.ts";
import { newUuid } from "./uuid.ts";

export interface ParseOptions {
  /** Makes a uuid (see `newUuid`) for an unsigned vCon that has none. Default: such a vCon is an error. */
  readonly domain?: string;
  /** How deep arrays and objects may nest. Default: 64 */
  readonly maxDepth?: number;
  /** How many bytes may come out of gzip. Default: 512 MiB */
  readonly maxBytes?: number;
}

export type ParsedDocument = UnsignedDocument | UnverifiedDocument | EncryptedDocument;

const MAX_DEPTH = 64;
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * Reads a vCon: JSON text, bytes (UTF-8, also gzipped), or an object that was parsed already. Any form, any version
 * from 0.0.1 to 0.4.0 or none; lenient as `readVcon` is. The content comes in the newest version; what was given is
 * untouched and stays in `source`. A signed one is `unverified`: it has no content before `verify`.
 *
 * @throws VconError not_json, too_deep, not_a_vcon, unsupported_version, no_uuid
 */
export async function parse(
  input: string | Uint8Array | JsonObject,
  options: ParseOptions = {},
): Promise<ParsedDocument> {
  const { maxDepth = MAX_DEPTH, maxBytes = MAX_BYTES, domain } = options;
  const given = await textOf(input, maxBytes);
  const text = domain === undefined ? given : await withUuid(given, { domain, maxDepth });
  const read = readAny(text, maxDepth);
  const { uuid } = read;
  if (read.form === "signed") return { state: "unverified", uuid, jws: read.value, text };
  if (read.form === "encrypted") return { state: "encrypted", uuid, jwe: read.value, text };
  return {
    state: "unsigned",
    uuid: read.uuid,
    vcon: migrate(read.value),
    source: { text, value: read.value },
  };
}

/** `readVcon`, but signed and encrypted documents need not say their uuid: it is inside, or not told to outsiders. */
function readAny(text: string, maxDepth: number): ReadVcon | Sealed {
  try {
    return readVcon(text, { maxDepth });
  } catch (error) {
    const value = error instanceof VconError && error.code === "no_uuid" ? parseJson(text) : undefined;
    if (isObject(value) && isSignedVcon(value)) return { form: "signed", uuid: undefined, value };
    if (isObject(value) && isEncryptedVcon(value)) return { form: "encrypted", uuid: undefined, value };
    throw error;
  }
}

type Sealed =
  | { readonly form: "signed"; readonly uuid: undefined; readonly value: SignedVcon }
  | { readonly form: "encrypted"; readonly uuid: undefined; readonly value: EncryptedVcon };

async function textOf(input: string | Uint8Array | JsonObject, maxBytes: number): Promise<string> {
  if (typeof input === "string") return input.startsWith("\uFEFF") ? input.slice(1) : input;
  if (!(input instanceof Uint8Array)) return textOfObject(input);
  const bytes = isGzip(input) ? await gunzip(new Uint8Array(input), maxBytes) : input;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new VconError("not_json", "The bytes are not UTF-8 text, nor gzip of it.", { cause });
  }
}

/** What is no JSON, or too deep for the engine to write, is refused as text of that kind would be. */
function textOfObject(input: JsonObject): string {
  try {
    // Without types, what is given may be nothing that JSON can say.
    return JSON.stringify(input) ?? "null";
  } catch (cause) {
    if (cause instanceof RangeError) throw new VconError("too_deep", "The object nests too deep.", { cause });
    const [reason] = cause instanceof Error ? cause.message.split("\n") : [String(cause)];
    throw new VconError("not_json", `The object is not JSON: ${reason}`, { cause });
  }
}

/** The text with a uuid put in where an unsigned vCon lacks one; anything else as it is, for the reader to judge. */
async function withUuid(
  text: string,
  { domain, maxDepth }: { readonly domain: string; readonly maxDepth: number },
): Promise<string> {
  if (exceedsDepth(text, maxDepth)) return text;
  const original = parseJson(text);
  if (!isObject(original) || detectForm(original) !== "unsigned" || stringMember(original, "uuid"))
    return text;
  return rewrite({ text, original, changed: { ...original, uuid: await newUuid({ domain }) } });
}
