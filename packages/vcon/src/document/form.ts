import { decodeBase64url, decodeUtf8 } from "./base64url.ts";
import { has, isObject, objectMember, objectsMember, parseJson, stringMember } from "./json.ts";
import { exceedsDepth } from "./json-text.ts";
import type { JsonObject, VconForm } from "./types.ts";

/**
 * The form of a document, or undefined when it is not a vCon. Content decides first, as in the reference; a document
 * without any of the four lists is still unsigned when it has a uuid and one of `vcon`, `created_at`, `subject`,
 * because empty lists may be left out.
 */
export function detectForm(document: JsonObject): VconForm | undefined {
  if (["parties", "dialog", "analysis", "attachments"].some((name) => has(document, name))) return "unsigned";
  if (has(document, "payload") && has(document, "signatures")) return "signed";
  if (has(document, "ciphertext") && has(document, "recipients")) return "encrypted";
  const named =
    has(document, "uuid") && ["vcon", "created_at", "subject"].some((name) => has(document, name));
  return named ? "unsigned" : undefined;
}

/** The uuid of a document of the given form, wherever that form keeps it; undefined when there is none. */
export function uuidOf(document: JsonObject, form: VconForm): string | undefined {
  const plain = () => stringMember(document, "uuid") || undefined;
  if (form === "unsigned") return plain();
  if (form === "encrypted") {
    return stringMember(objectMember(document, "unprotected") ?? {}, "uuid") || plain();
  }
  return headerUuid(document) || payloadUuid(document) || plain();
}

function headerUuid(document: JsonObject): string | undefined {
  const header = objectMember(objectsMember(document, "signatures")[0] ?? {}, "header");
  return header && stringMember(header, "uuid");
}

/** More layers than any archive re-signs. */
const MAX_LAYERS = 8;
const MAX_PAYLOAD_DEPTH = 64;

/** A payload may itself be signed (long-term archives re-sign). A gzipped payload is not opened: that is asynchronous. */
function payloadUuid(document: JsonObject): string | undefined {
  let layer = document;
  for (let depth = 0; depth < MAX_LAYERS; depth += 1) {
    const bytes = decodeBase64url(stringMember(layer, "payload") ?? "");
    if (bytes === undefined || (bytes[0] === 0x1f && bytes[1] === 0x8b)) return undefined;
    const text = decodeUtf8(bytes);
    const inner = exceedsDepth(text, MAX_PAYLOAD_DEPTH) ? undefined : parseJson(text);
    if (!isObject(inner)) return undefined;
    if (detectForm(inner) !== "signed") return stringMember(inner, "uuid");
    const uuid = headerUuid(inner);
    if (uuid) return uuid;
    layer = inner;
  }
  return undefined;
}
