import { flattenedDecrypt } from "jose";
import { VconError } from "../document/errors.ts";
import { objectMember, objectsMember, stringMember } from "../document/json.ts";
import { parse } from "../document/parse.ts";
import type { EncryptedDocument, UnsignedDocument, UnverifiedDocument } from "../document/states.ts";
import type { EncryptedVcon, JsonObject } from "../document/types.ts";
import { type Headers, readHeaders, strictBytes } from "./headers.ts";
import { importPrivate, type KeyBlock, readPrivateKey } from "./keys.ts";

const keyAlgorithms = ["RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512"];
const contentAlgorithms = [
  "A256CBC-HS512",
  "A192CBC-HS384",
  "A128CBC-HS256",
  "A256GCM",
  "A192GCM",
  "A128GCM",
];
const contentTypes = [
  "application/vcon",
  "application/vcon+gzip",
  "application/vcon+json",
  "vcon",
  "vcon+gzip",
  "vcon+json",
];

export interface DecryptOptions {
  /** The private key (RSA) of one of the recipients, as PEM text. */
  readonly key: string;
  /** How many bytes may come out of gzip. Default: 512 MiB */
  readonly maxBytes?: number;
}

/**
 * Decrypts with the private key of any one of the recipients. What comes out is usually signed, and still unverified.
 *
 * @throws VconError invalid_key the key cannot be read
 * @throws VconError decryption_failed it is no recipient's key, or the vCon was changed
 */
export async function decrypt(
  document: EncryptedDocument,
  { key: pem, maxBytes }: DecryptOptions,
): Promise<UnverifiedDocument | UnsignedDocument> {
  const { jwe, uuid } = document;
  const key = readPrivateKey(pem);
  if (key.kind !== "RSA")
    throw new VconError("invalid_key", `The private key is on the curve ${key.kind}; decryption needs RSA.`);
  const plaintext = await openAny(jwe, key);
  const inner = await parse(plaintext, maxBytes === undefined ? {} : { maxBytes });
  if (inner.state === "encrypted")
    throw new VconError("decryption_failed", "What was encrypted is encrypted again.");
  if (uuid !== undefined && inner.uuid !== uuid) {
    throw new VconError(
      "decryption_failed",
      `The header names another vCon (${uuid}) than was encrypted (${inner.uuid}).`,
    );
  }
  return inner;
}

async function openAny(jwe: EncryptedVcon, key: KeyBlock): Promise<Uint8Array> {
  const reasons: VconError[] = [];
  for (const recipient of objectsMember(jwe, "recipients")) {
    try {
      return await openOne(jwe, recipient, key);
    } catch (error) {
      if (!(error instanceof VconError)) throw error;
      reasons.push(error);
    }
  }
  if (reasons.length === 1 && reasons[0] !== undefined) throw reasons[0];
  throw new VconError(
    "decryption_failed",
    `None of the ${reasons.length} recipients' entries opens with this key.`,
  );
}

async function openOne(jwe: EncryptedVcon, recipient: JsonObject, key: KeyBlock): Promise<Uint8Array> {
  const encoded = stringMember(jwe, "protected");
  const shared = objectMember(jwe, "unprotected");
  const headers = readHeaders(encoded, [shared, objectMember(recipient, "header")], "decryption_failed");
  const algorithm = requireKnown(headers, "alg", keyAlgorithms);
  requireKnown(headers, "enc", contentAlgorithms);
  const type = stringMember(headers.all, "cty");
  if (type !== undefined && !contentTypes.includes(type)) {
    throw new VconError(
      "decryption_failed",
      `What is encrypted is said to be ${JSON.stringify(type.slice(0, 80))}, not a vCon.`,
    );
  }
  const aad = stringMember(jwe, "aad");
  const parts = {
    ciphertext: part(jwe, "ciphertext"),
    iv: part(jwe, "iv"),
    tag: part(jwe, "tag"),
    encrypted_key: part(recipient, "encrypted_key"),
    ...(headers.encoded === "" ? {} : { protected: headers.encoded }),
    ...(aad === undefined ? {} : { aad }),
  };
  const unprotected = Object.fromEntries(Object.entries(headers.unprotected));
  const privateKey = await importPrivate(key, algorithm);
  try {
    const { plaintext } = await flattenedDecrypt({ ...parts, unprotected }, privateKey, {
      keyManagementAlgorithms: keyAlgorithms,
      contentEncryptionAlgorithms: contentAlgorithms,
    });
    return plaintext;
  } catch (cause) {
    const message =
      "It does not decrypt: the key is not the recipient's, or the vCon was changed after it was encrypted.";
    throw new VconError("decryption_failed", message, { cause });
  }
}

function requireKnown({ all }: Headers, name: "alg" | "enc", known: readonly string[]): string {
  const value = stringMember(all, name) ?? "";
  if (known.includes(value)) return value;
  throw new VconError(
    "decryption_failed",
    `The encryption's ${name} ${JSON.stringify(value.slice(0, 40))} is not supported. Known: ${known.join(", ")}.`,
  );
}

function part(object: JsonObject, name: string): string {
  const value = stringMember(object, name);
  if (value !== undefined && strictBytes(value) !== undefined) return value;
  throw new VconError("decryption_failed", `The encrypted vCon's ${name} is missing or damaged.`);
}
