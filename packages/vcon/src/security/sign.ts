import { type CryptoKey, FlattenedSign } from "jose";
import { decodeBase64url, encodeBase64 } from "../document/base64url.ts";
import { VconError } from "../document/errors.ts";
import { gzip } from "../document/gzip.ts";
import { isSignedVcon } from "../document/shape.ts";
import {
  contentText,
  type SignedDocument,
  type UnsignedDocument,
  type UnverifiedDocument,
  type VerifiedDocument,
} from "../document/states.ts";
import type { JsonObject, SignedVcon } from "../document/types.ts";
import { parseCertificate } from "./certificate.ts";
import { certificateKey, importPrivate, importPublic, type KeyKind, readPrivateKey } from "./keys.ts";
import { certificateBlocks, type PemBlock, toPem } from "./pem.ts";
import { verifySignature } from "./signature.ts";

export interface SignOptions {
  /** The signer's private key as PEM text. RSA keys sign with RS256, P-256 keys with ES256. */
  readonly key: string;
  /** Certificates as PEM text, in one or several: the signer's own first, then whoever issued the one before. */
  readonly chain: string | readonly string[];
  /**
   * "interop" repeats `alg` and `x5c` in the unprotected header, where the draft's text and the Python reference look
   * for them. "strict" has them in the protected header only, as RFC 7515 demands and JOSE libraries check.
   * Default: "interop"
   */
  readonly layout?: "interop" | "strict";
  /** Signs gzip of the JSON: smaller, but the reference cannot read it. Default: false */
  readonly compress?: boolean;
}

const algorithms = new Map<KeyKind, string>([
  ["RSA", "RS256"],
  ["P-256", "ES256"],
]);

/**
 * Signs a vCon: its JSON, as `contentText` gives it, becomes the payload of a JWS. One that is signed already (also
 * one that was not verified) is signed as it stands, JWS and all: so archives keep old signatures trustworthy.
 *
 * @throws VconError invalid_key the key or chain cannot be read, or they do not belong together
 */
export function sign(
  document: UnsignedDocument | VerifiedDocument | SignedDocument,
  options: SignOptions,
): Promise<SignedDocument>;
export function sign(document: UnverifiedDocument, options: SignOptions): Promise<UnverifiedDocument>;
export async function sign(
  document: UnsignedDocument | VerifiedDocument | SignedDocument | UnverifiedDocument,
  options: SignOptions,
): Promise<SignedDocument | UnverifiedDocument> {
  const { state, uuid } = document;
  if (state === "unsigned") {
    const jws = await makeJws(contentText(document), { ...options, uuid });
    return { ...document, state: "signed", jws };
  }
  const jws = await makeJws(state === "unverified" ? document.text : JSON.stringify(document.jws), {
    ...options,
    uuid,
  });
  if (state === "unverified") return { state, uuid, jws, text: JSON.stringify(jws) };
  return { state: "signed", uuid: document.uuid, vcon: document.vcon, source: document.source, jws };
}

async function makeJws(
  text: string,
  {
    key: pem,
    chain,
    layout = "interop",
    compress = false,
    uuid,
  }: SignOptions & { readonly uuid: string | undefined },
): Promise<SignedVcon> {
  const signer = latest?.pem === pem ? latest.signer : await readSigner(pem);
  const certificates = certificateBlocks(chain, "the chain of certificates");
  await requireBelongs(signer, { pem, block: certificates[0] });
  const { key, algorithm } = signer;
  const x5c = certificates.map(({ der }) => encodeBase64(der));
  const bytes = new TextEncoder().encode(text);
  const {
    payload,
    protected: encoded = "",
    signature,
  } = await new FlattenedSign(compress ? await gzip(bytes) : bytes)
    .setProtectedHeader({ alg: algorithm, x5c })
    .sign(key);
  const named: JsonObject = uuid === undefined ? {} : { uuid };
  const header: JsonObject = layout === "strict" ? named : { alg: algorithm, x5c, ...named };
  const jws = { payload, signatures: [{ protected: encoded, header, signature }] };
  if (!isSignedVcon(jws)) throw new VconError("invalid_state", "The signed vCon did not come out right.");
  return jws;
}

interface SigningKey {
  readonly key: CryptoKey;
  readonly algorithm: string;
}

/** The one that was used last: who signs, signs many with the same one, and reading keys takes as long as signing. */
let latest: { readonly pem: string; readonly certificate: string; readonly signer: SigningKey } | undefined;

async function readSigner(pem: string): Promise<SigningKey> {
  const key = readPrivateKey(pem);
  const algorithm = algorithms.get(key.kind);
  if (algorithm === undefined) {
    throw new VconError("invalid_key", `A key on the curve ${key.kind} cannot sign vCons. Use RSA or P-256.`);
  }
  return { key: await importPrivate(key, algorithm), algorithm };
}

/** Nobody could verify what was signed with a key that is not the certificate's; better to say so now. */
async function requireBelongs(
  signer: SigningKey,
  { pem, block }: { readonly pem: string; readonly block: PemBlock | undefined },
): Promise<void> {
  if (block === undefined) return;
  const certificate = toPem(block);
  if (latest?.pem === pem && latest.certificate === certificate) return;
  const { key, algorithm } = signer;
  const parsed = parseCertificate(block.der, "The first certificate of the chain");
  const sample = await new FlattenedSign(new Uint8Array(1)).setProtectedHeader({ alg: algorithm }).sign(key);
  const belongs = await importPublic(certificateKey(parsed), algorithm)
    .then((publicKey) =>
      verifySignature({ ...sample, protected: sample.protected ?? "" }, { key: publicKey, algorithm }),
    )
    .catch(() => false);
  if (!belongs) {
    throw new VconError(
      "invalid_key",
      "The private key does not belong to the first certificate of the chain.",
    );
  }
  latest = { pem, certificate, signer };
}

/** The bytes of a payload. */
export function payloadBytes(payload: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64url(payload);
  if (bytes === undefined)
    throw new VconError("not_a_vcon", "The payload of the signed vCon is not base64url.");
  return bytes;
}
