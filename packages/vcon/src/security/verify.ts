import { VconError } from "../document/errors.ts";
import { gunzip, isGzip } from "../document/gzip.ts";
import { isArray, objectMember, objectsMember, stringMember } from "../document/json.ts";
import { migrate } from "../document/migrate.ts";
import { type ReadVcon, readVcon } from "../document/read.ts";
import type { SignedDocument, Signer, UnverifiedDocument, VerifiedDocument } from "../document/states.ts";
import type { JsonObject, SignedVcon } from "../document/types.ts";
import { type ChainMode, checkChain } from "./chain.ts";
import { type Headers, readHeaders, strictBytes } from "./headers.ts";
import { importPublic, type KeyBlock, readPublicKey } from "./keys.ts";
import { certificateBlocks, type PemBlock } from "./pem.ts";
import { payloadBytes } from "./sign.ts";
import { signatureAlgorithms, verifySignature } from "./signature.ts";

export interface VerifyOptions {
  /** Certificates that are trusted, as PEM text, in one or several: a chain must end at one of them. */
  readonly trust?: string | readonly string[];
  /** Instead of `trust`: the signer's own public key or certificate as PEM text; chains are then not looked at. */
  readonly publicKey?: string;
  /** See `ChainMode`. Default: "strict" */
  readonly chain?: ChainMode;
  /** When certificates must be valid, in milliseconds since 1970. Default: now */
  readonly at?: number;
  /** How many bytes may come out of a gzipped payload. Default: 512 MiB */
  readonly maxBytes?: number;
}

/** More layers than any archive signs anew. */
const MAX_LAYERS = 8;

/**
 * Verifies a signed vCon and gives its content. At least one signature must be good, and of a trusted signer; one
 * inside another (an archive that signed anew) is verified too, all the way down.
 *
 * @throws VconError invalid_signature, untrusted_certificate, expired_certificate: which check failed, and where
 * @throws VconError invalid_key `trust` or `publicKey` cannot be read
 * @throws VconError not_json, not_a_vcon, no_uuid, unsupported_version: what was signed is not a vCon
 */
export async function verify(
  document: UnverifiedDocument | SignedDocument,
  options: VerifyOptions,
): Promise<VerifiedDocument> {
  const { jws } = document;
  const trusted = trustOf(options);
  const signers: Signer[] = [];
  let layer: SignedVcon = jws;
  for (let depth = 0; depth < MAX_LAYERS; depth += 1) {
    const { signer, uuid } = await verifyLayer(layer, { ...options, ...trusted });
    signers.push(signer);
    const text = await payloadText(layer, options.maxBytes);
    const read = readVcon(text);
    requireSameUuid(uuid, read);
    if (read.form === "encrypted")
      throw new VconError("invalid_state", "What was signed is encrypted: it has no content to give.");
    if (read.form === "unsigned") {
      const source = { text, value: read.value };
      return { state: "verified", uuid: read.uuid, vcon: migrate(read.value), source, jws, signers };
    }
    layer = read.value;
  }
  throw new VconError("invalid_signature", `The vCon is signed more than ${MAX_LAYERS} times over.`);
}

interface Trusted {
  readonly anchors: readonly PemBlock[];
  readonly pinned: KeyBlock | undefined;
}

function trustOf({ trust, publicKey }: VerifyOptions): Trusted {
  const pinned = publicKey === undefined ? undefined : readPublicKey(publicKey, "The public key");
  if (trust === undefined && pinned === undefined) {
    throw new VconError(
      "invalid_option",
      "Say whom to trust: the certificates of one or more authorities, or a public key.",
    );
  }
  return { anchors: trust === undefined ? [] : certificateBlocks(trust, "the trusted certificate"), pinned };
}

interface VerifiedLayer {
  readonly signer: Signer;
  /** What the signature's header says the uuid is. */
  readonly uuid: string | undefined;
}

/** The first signature that is good; when none is, the reason of the first, which is the author's. */
async function verifyLayer(jws: SignedVcon, options: VerifyOptions & Trusted): Promise<VerifiedLayer> {
  const signatures = objectsMember(jws, "signatures");
  const reasons: unknown[] = [];
  for (const signature of signatures) {
    try {
      return await verifyOne(jws.payload, signature, options);
    } catch (error) {
      if (!(error instanceof VconError)) throw error;
      reasons.push(error);
    }
  }
  throw reasons[0] ?? new VconError("invalid_signature", "The signed vCon has no signature.");
}

async function verifyOne(
  payload: string,
  signature: JsonObject,
  { anchors, pinned, chain = "strict", at = Date.now() }: VerifyOptions & Trusted,
): Promise<VerifiedLayer> {
  const encoded = stringMember(signature, "protected");
  const headers = readHeaders(encoded, [objectMember(signature, "header")], "invalid_signature");
  const algorithm = stringMember(headers.all, "alg") ?? "";
  const kind = signatureAlgorithms.get(algorithm);
  if (kind === undefined) {
    const known = [...signatureAlgorithms.keys()].join(", ");
    throw new VconError(
      "invalid_signature",
      `The signature's algorithm ${JSON.stringify(algorithm.slice(0, 40))} is not supported. Known: ${known}.`,
    );
  }
  if (Object.hasOwn(headers.all, "crit")) {
    throw new VconError(
      "invalid_signature",
      "The signature demands an extension that is not understood (crit).",
    );
  }
  const signer =
    pinned === undefined
      ? await checkChain(chainOf(headers), { trust: anchors, mode: chain, at })
      : undefined;
  const key = signer?.key ?? pinned;
  if (key === undefined || key.kind !== kind) {
    throw new VconError("invalid_signature", `The signer's key is not one for ${algorithm}.`);
  }
  const bytes = stringMember(signature, "signature") ?? "";
  const good =
    strictBytes(bytes) !== undefined &&
    (await verifySignature(
      { payload, protected: headers.encoded, signature: bytes },
      { key: await importPublic(key, algorithm), algorithm },
    ));
  if (!good) {
    throw new VconError(
      "invalid_signature",
      "The signature does not match: the vCon was changed after it was signed, or signed by another key.",
    );
  }
  return { signer: { algorithm, ...(signer?.identity ?? unnamed) }, uuid: stringMember(headers.all, "uuid") };
}

/** A key that is trusted without a certificate has no name. */
const unnamed = { subject: undefined, issuer: undefined, serialNumber: undefined, fingerprint: undefined };

function chainOf({ all }: Headers): readonly string[] {
  const x5c = all.x5c;
  if (isArray(x5c) && x5c.every((entry) => typeof entry === "string")) return x5c;
  const hint = Object.hasOwn(all, "x5u")
    ? " It gives an x5u instead, which is not fetched: verify with the signer's public key."
    : "";
  throw new VconError(
    "untrusted_certificate",
    `The signature comes without a chain of certificates (x5c).${hint}`,
  );
}

async function payloadText({ payload }: SignedVcon, maxBytes = 512 * 1024 * 1024): Promise<string> {
  const given = payloadBytes(payload);
  const bytes = isGzip(given) ? await gunzip(given, maxBytes) : given;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new VconError("not_json", "What was signed is not UTF-8 text, nor gzip of it.", { cause });
  }
}

function requireSameUuid(uuid: string | undefined, read: ReadVcon): void {
  if (uuid === undefined || uuid === read.uuid) return;
  throw new VconError(
    "invalid_signature",
    `The signature's header names another vCon (${uuid.slice(0, 255)}) than was signed (${read.uuid}).`,
  );
}
