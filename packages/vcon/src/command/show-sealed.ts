import { decodeBase64url } from "../document/base64url.ts";
import { isArray, member, objectMember, objectsMember, stringMember } from "../document/json.ts";
import type { EncryptedDocument, UnverifiedDocument } from "../document/states.ts";
import type { JsonObject } from "../document/types.ts";
import { readHeaders } from "../security/headers.ts";
import { hostOf } from "./show-content.ts";
import { countText, sizeText } from "./show-figures.ts";
import { layOut, pairs, type Row } from "./show-layout.ts";
import { stylesFor } from "./show-style.ts";
import { visible } from "./show-visible.ts";
import { NARROWEST, wrap } from "./show-width.ts";

export interface SealedOptions {
  /** Columns; fewer than 40 count as 40. */
  readonly width: number;
  readonly colour: boolean;
  /** Who each signature says it is from, for example "CN=calls.example.com", where the caller has read that. */
  readonly signers?: readonly (string | undefined)[];
}

/**
 * What can be told of a signed or encrypted vCon from outside. Nothing of it has been checked, and the content is not
 * shown: for that it must be verified or decrypted first.
 */
export function renderSealed(
  document: UnverifiedDocument | EncryptedDocument,
  { width: given, colour, signers = [] }: SealedOptions,
): string {
  const width = Math.max(NARROWEST, Math.floor(given));
  const styles = stylesFor(colour);
  const sealed = document.state === "unverified" ? signed(document, signers) : encrypted(document);
  const facts: (readonly [string, string | undefined])[] = [
    ["uuid", document.uuid === undefined ? "not told" : visible(document.uuid)],
    ["size", sizeText(Buffer.byteLength(document.text))],
    ...sealed.facts,
  ];
  const lines = [
    styles.title(sealed.title),
    "",
    ...pairs(facts, { width, styles }),
    "",
    `${styles.heading(sealed.list)} ${styles.dim(`(${sealed.rows.length})`)}`,
    ...layOut(sealed.rows, { width, styles }),
    "",
    ...wrap(sealed.hint, width).map(styles.warning),
  ];
  return `${lines.join("\n")}\n`;
}

interface Sealed {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly list: string;
  readonly rows: readonly Row[];
  readonly hint: string;
}

function signed({ jws }: UnverifiedDocument, signers: readonly (string | undefined)[]): Sealed {
  const rows = jws.signatures.map((signature, index) => {
    const header = headerOf(stringMember(signature, "protected"), [objectMember(signature, "header")]);
    const signer = signers[index];
    return {
      cells: [String(index), textIn(header, "alg") || "no algorithm"],
      facts: [signer === undefined ? "" : `says it is ${visible(signer)}`, ...keyFacts(header)].filter(
        isSaid,
      ),
    };
  });
  const payload = decodeBase64url(jws.payload.slice(0, 4)) ?? new Uint8Array();
  const packed = payload[0] === 0x1f && payload[1] === 0x8b ? ", compressed" : "";
  const size = sizeText(Math.floor((jws.payload.length * 3) / 4));
  return {
    title: "Signed vCon, not verified",
    facts: [["payload", `${size}${packed}`]],
    list: "Signatures",
    rows,
    hint: "Who signed, and whether anything was changed, is not known yet, so the content is not shown. Check it with: vcon verify",
  };
}

function keyFacts(header: JsonObject): readonly string[] {
  const chain = member(header, "x5c");
  const url = textIn(header, "x5u");
  const key = textIn(header, "kid");
  return [
    isArray(chain) ? countText(chain.length, "certificate") : "",
    url === "" ? "" : `certificates at ${hostOf(url)}`,
    key === "" ? "" : `key ${key}`,
  ];
}

function encrypted({ jwe }: EncryptedDocument): Sealed {
  const shared = objectMember(jwe, "unprotected");
  const outer = headerOf(stringMember(jwe, "protected"), [shared]);
  const rows = objectsMember(jwe, "recipients").map((recipient, index) => {
    const own = objectMember(recipient, "header") ?? {};
    const key = textIn(own, "kid");
    return {
      cells: [String(index), textIn(own, "alg") || textIn(outer, "alg") || "no algorithm"],
      facts: [key === "" ? "" : `key ${key}`].filter(isSaid),
    };
  });
  const method =
    textIn(outer, "enc") ||
    textIn(objectMember(objectsMember(jwe, "recipients")[0] ?? {}, "header") ?? {}, "enc");
  const content: (readonly [string, string])[] = [
    ["cipher", method || "not told"],
    ["content", textIn(outer, "cty")],
    ["payload", sizeText(Math.floor((jwe.ciphertext.length * 3) / 4))],
  ];
  return {
    title: "Encrypted vCon",
    facts: content.filter(([, value]) => isSaid(value)),
    list: "Recipients",
    rows,
    hint: "The content can be read only by those who have the key of a recipient. Open it with: vcon decrypt",
  };
}

/** A header that contradicts itself or is damaged tells nothing; `verify` and `decrypt` say what is wrong with it. */
function headerOf(encoded: string | undefined, unprotected: readonly (JsonObject | undefined)[]): JsonObject {
  try {
    return readHeaders(encoded, unprotected, "invalid_vcon").all;
  } catch {
    return {};
  }
}

function textIn(header: JsonObject, name: string): string {
  return visible(stringMember(header, name) ?? "");
}

function isSaid(text: string): boolean {
  return text !== "";
}
