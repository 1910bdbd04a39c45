import { FlattenedEncrypt, GeneralEncrypt } from "jose";
import { VconError } from "../document/errors.ts";
import { gzip } from "../document/gzip.ts";
import { isEncryptedVcon } from "../document/shape.ts";
import {
  type EncryptedDocument,
  type SignedDocument,
  toText,
  type UnverifiedDocument,
  type VerifiedDocument,
} from "../document/states.ts";
import type { JsonObject } from "../document/types.ts";
import { importPublic, readPublicKey } from "./keys.ts";

export interface EncryptOptions {
  /** For whom: certificates or public keys (RSA) as PEM text, one each. Any one of their private keys will decrypt. */
  readonly recipients: readonly string[];
  /** How the content's key is encrypted. Default: "RSA-OAEP", which the draft recommends and the reference reads */
  readonly algorithm?: "RSA-OAEP" | "RSA-OAEP-256";
  /** As for `sign`; "interop" is possible for one recipient. Default: "interop" for one, "strict" for several */
  readonly layout?: "interop" | "strict";
  /** Compresses before it encrypts. Default: false */
  readonly compress?: boolean;
}

const ENCRYPTION = "A256CBC-HS512";

/**
 * Encrypts a signed vCon. The draft wants it signed first, so that the recipient knows whose it is.
 *
 * @throws VconError invalid_state it is not signed
 * @throws VconError invalid_key a recipient's certificate or key cannot be read, or is not RSA
 */
export async function encrypt(
  document: SignedDocument | UnverifiedDocument | VerifiedDocument,
  { recipients, algorithm = "RSA-OAEP", layout, compress = false }: EncryptOptions,
): Promise<EncryptedDocument> {
  const state: string = document.state;
  if (state === "unsigned" || state === "encrypted") {
    throw new VconError("invalid_state", `The vCon is ${state}: sign it before you encrypt it, once.`);
  }
  if (recipients.length === 0)
    throw new VconError("invalid_option", "Name at least one recipient's certificate.");
  if (layout === "interop" && recipients.length > 1) {
    throw new VconError(
      "invalid_option",
      "The interop layout has room for one recipient only. Use the strict one.",
    );
  }
  const { uuid } = document;
  const bytes = new TextEncoder().encode(toText(document));
  const job: Job = {
    plaintext: compress ? await gzip(bytes) : bytes,
    keys: await Promise.all(recipients.map((pem, index) => recipientKey(pem, { algorithm, index }))),
    algorithm,
    unprotected: {
      ...(uuid === undefined ? {} : { uuid }),
      cty: compress ? "application/vcon+gzip" : "application/vcon",
    },
  };
  const jwe = layout === "strict" || recipients.length > 1 ? await general(job) : await interop(job);
  if (!isEncryptedVcon(jwe))
    throw new VconError("invalid_state", "The encrypted vCon did not come out right.");
  return { state: "encrypted", uuid, jwe, text: JSON.stringify(jwe) };
}

type RecipientKey = Awaited<ReturnType<typeof importPublic>>;

interface Job {
  readonly plaintext: Uint8Array<ArrayBuffer>;
  readonly keys: readonly RecipientKey[];
  readonly algorithm: string;
  readonly unprotected: { readonly uuid?: string; readonly cty: string };
}

async function recipientKey(
  pem: string,
  { algorithm, index }: { readonly algorithm: string; readonly index: number },
): Promise<RecipientKey> {
  const key = readPublicKey(pem, `The certificate of recipient ${index + 1}`);
  if (key.kind !== "RSA") {
    throw new VconError(
      "invalid_key",
      `The certificate of recipient ${index + 1} has a ${key.kind} key; encryption needs RSA.`,
    );
  }
  return importPublic(key, algorithm);
}

/** As the working group's example: `alg` and `enc` protected, and repeated where the draft's text has them. */
async function interop({ plaintext, keys: [key], algorithm, unprotected }: Job): Promise<JsonObject> {
  if (key === undefined) return {};
  const {
    protected: encoded,
    encrypted_key,
    iv,
    ciphertext,
    tag,
  } = await new FlattenedEncrypt(plaintext)
    .setProtectedHeader({ alg: algorithm, enc: ENCRYPTION })
    .encrypt(key);
  const recipients = [{ header: { alg: algorithm, enc: ENCRYPTION }, encrypted_key }];
  return defined({
    protected: encoded,
    unprotected: { ...unprotected, enc: ENCRYPTION },
    recipients,
    iv,
    ciphertext,
    tag,
  });
}

async function general({ plaintext, keys, algorithm, unprotected }: Job): Promise<JsonObject> {
  const jwe = new GeneralEncrypt(plaintext)
    .setProtectedHeader({ enc: ENCRYPTION })
    .setSharedUnprotectedHeader({ ...unprotected });
  for (const key of keys) jwe.addRecipient(key).setUnprotectedHeader({ alg: algorithm });
  const { protected: encoded, recipients, iv, ciphertext, tag } = await jwe.encrypt();
  const list = recipients.map(({ header, encrypted_key }) => ({
    header: { alg: header?.alg },
    encrypted_key,
  }));
  return defined({
    protected: encoded,
    unprotected: { ...unprotected },
    recipients: list,
    iv,
    ciphertext,
    tag,
  });
}

/** As it will be written: without members that are undefined. */
function defined(value: object): JsonObject {
  const plain: JsonObject = JSON.parse(JSON.stringify(value));
  return plain;
}
