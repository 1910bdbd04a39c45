import { constants, createPrivateKey, type KeyObject, type SigningOptions, sign } from "node:crypto";
import { decode, encode } from "cborg";
import { VconductorError } from "../errors.ts";

/** Header parameters by label: numbers of the IANA registry, or names. */
export type CoseHeader = ReadonlyMap<number | string, unknown>;

/** A message with one signature (RFC 9052, section 4.2). */
export interface Sign1 {
  readonly protectedHeader: CoseHeader;
  readonly unprotectedHeader: CoseHeader;
  readonly payload: Uint8Array | null;
  readonly signature: Uint8Array;
  /** The protected header as it was signed. */
  readonly protectedBytes: Uint8Array;
}

/** Tag 18, in CBOR. */
const TAG = 0xd2;
const ALG = 1;

/** An algorithm of the IANA registry, as `sign` wants it. */
interface Algorithm {
  readonly id: number;
  readonly hash: string | null;
  readonly options: SigningOptions;
}

export interface SigningKey {
  readonly key: KeyObject;
  readonly algorithm: Algorithm;
}

/** @param pem of a private key @throws invalid_key */
export function readSigningKey(pem: string): SigningKey {
  try {
    const key = createPrivateKey(pem);
    return { key, algorithm: algorithmOf(key) };
  } catch (cause) {
    if (cause instanceof VconductorError) throw cause;
    throw new VconductorError("invalid_key", "private_pem_key: not the PEM text of a private key", { cause });
  }
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm {
  if (asymmetricKeyType === "ed25519") return { id: -8, hash: null, options: {} };
  if (asymmetricKeyType === "rsa") {
    return {
      id: -37,
      hash: "sha256",
      options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
    };
  }
  const curve = asymmetricKeyType === "ec" ? asymmetricKeyDetails?.namedCurve : undefined;
  if (curve === "prime256v1") return { id: -7, hash: "sha256", options: { dsaEncoding: "ieee-p1363" } };
  if (curve === "secp384r1") return { id: -35, hash: "sha384", options: { dsaEncoding: "ieee-p1363" } };
  throw new VconductorError(
    "invalid_key",
    "private_pem_key: statements are signed with P-256, P-384, Ed25519 or RSA",
  );
}

/** Signs; the algorithm is added to the protected header. */
export function makeSign1({
  signingKey: { key, algorithm },
  header,
  payload,
}: {
  readonly signingKey: SigningKey;
  readonly header: CoseHeader;
  readonly payload: Uint8Array;
}): Uint8Array {
  const protectedBytes = encode(new Map([[ALG, algorithm.id], ...header]));
  const signature = sign(algorithm.hash, toBeSigned(protectedBytes, payload), { key, ...algorithm.options });
  return writeSign1({ protectedBytes, unprotectedHeader: new Map(), payload, signature });
}

export function writeSign1(
  message: Pick<Sign1, "protectedBytes" | "unprotectedHeader" | "payload" | "signature">,
): Uint8Array {
  const { protectedBytes, unprotectedHeader, payload, signature } = message;
  const body = encode([protectedBytes, new Map(unprotectedHeader), payload, new Uint8Array(signature)]);
  return Uint8Array.from([TAG, ...body]);
}

/** @throws Error it is no COSE_Sign1 */
export function readSign1(bytes: Uint8Array): Sign1 {
  const body: unknown = decode(bytes[0] === TAG ? bytes.subarray(1) : bytes, { useMaps: true });
  const [protectedBytes, unprotectedHeader, payload, signature]: readonly unknown[] = Array.isArray(body)
    ? body
    : [];
  const complete =
    protectedBytes instanceof Uint8Array &&
    unprotectedHeader instanceof Map &&
    (payload instanceof Uint8Array || payload === null) &&
    signature instanceof Uint8Array;
  if (!complete) throw new Error("not a COSE_Sign1 message");
  const header: unknown = protectedBytes.length === 0 ? new Map() : decode(protectedBytes, { useMaps: true });
  if (!(header instanceof Map)) throw new Error("its protected header is not a map");
  return { protectedHeader: header, unprotectedHeader, payload, signature, protectedBytes };
}

/** The Sig_structure, without external data. */
function toBeSigned(protectedBytes: Uint8Array, payload: Uint8Array): Uint8Array {
  return encode(["Signature1", protectedBytes, new Uint8Array(), payload]);
}
