import { decodeBase64url, decodeUtf8, encodeBase64url } from "../document/base64url.ts";
import { VconError, type VconErrorCode } from "../document/errors.ts";
import { equalJson, isObject, parseJson } from "../document/json.ts";
import { exceedsDepth } from "../document/json-text.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";

/** A header in its parts: what the signature or encryption protects, and what else was said. */
export interface Headers {
  /** The protected header as it stands, base64url. */
  readonly encoded: string;
  readonly protected: JsonObject;
  /** Members of the unprotected headers that the protected one does not have. */
  readonly unprotected: JsonObject;
  /** Both together. */
  readonly all: JsonObject;
}

/**
 * Reads a protected header and unprotected ones. RFC 7515 and 7516 want their names to be disjoint, but the working
 * group's examples and the reference repeat members: equal repetitions are taken, others refused.
 *
 * @throws VconError with `code`
 */
export function readHeaders(
  encoded: string | undefined,
  unprotected: readonly (JsonObject | undefined)[],
  code: VconErrorCode,
): Headers {
  const own = encoded === undefined || encoded === "" ? {} : decodeHeader(encoded, code);
  const rest: Record<string, JsonValue> = {};
  for (const [name, value] of unprotected.flatMap((header) => Object.entries(header ?? {}))) {
    const known = Object.hasOwn(own, name) ? own[name] : Object.hasOwn(rest, name) ? rest[name] : value;
    if (!equalJson(known, value))
      throw new VconError(code, `The headers contradict each other on "${name.slice(0, 40)}".`);
    if (!Object.hasOwn(own, name)) Object.defineProperty(rest, name, { value, enumerable: true });
  }
  return { encoded: encoded ?? "", protected: own, unprotected: rest, all: { ...rest, ...own } };
}

function decodeHeader(encoded: string, code: VconErrorCode): JsonObject {
  const bytes = strictBytes(encoded);
  const text = bytes === undefined ? "" : decodeUtf8(bytes);
  const header = exceedsDepth(text, 8) ? undefined : parseJson(text);
  if (!isObject(header)) throw new VconError(code, "The protected header is damaged.");
  return header;
}

/**
 * The bytes of a base64url text that is spelled the one right way. Lenient decoders drop the last bits of the last
 * character, so that a change there would go unnoticed.
 */
export function strictBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = decodeBase64url(text);
  return bytes !== undefined && encodeBase64url(bytes) === text ? bytes : undefined;
}
