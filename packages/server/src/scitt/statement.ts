import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import type { JsonObject } from "@vconductor/vcon";
import { canonicalJson } from "../canonical-json.ts";
import { VconductorError } from "../errors.ts";
import { makeSign1, readSigningKey } from "./cose-sign1.ts";

/* Labels of COSE headers: RFC 9052, RFC 9360 (x5chain), RFC 9597 (CWT claims), and the hash envelope of COSE. */
const KID = 4;
const CWT_CLAIMS = 15;
const X5CHAIN = 33;
const PAYLOAD_HASH_ALG = 258;
const PREIMAGE_CONTENT_TYPE = 259;
const SHA_256 = -16;
const ISSUER = 1;
const SUBJECT = 2;

export interface StatementOptions {
  readonly uuid: string;
  /** What the statement is about. */
  readonly document: JsonObject;
  /** Who says so, for example "https://calls.example.com". */
  readonly issuer: string;
  /** What happened: one of the names of the vCon lifecycle. */
  readonly event: string;
  /** PEM text. */
  readonly key: string;
  /** PEM texts, the signer's first. */
  readonly certificates: readonly string[];
}

/** SHA-256 of the canonical JSON of a document. */
export function statementHash(document: JsonObject): Uint8Array {
  return createHash("sha256").update(canonicalJson(document)).digest();
}

/**
 * A signed statement about a vCon (COSE_Sign1): it holds the hash of the document, not the document.
 *
 * @throws invalid_key
 */
export function makeStatement({
  uuid,
  document,
  issuer,
  event,
  key,
  certificates,
}: StatementOptions): Uint8Array {
  const chain = certificates.map(derOf);
  const signingKey = readSigningKey(key);
  checkOwner(certificates[0], signingKey.key);
  const header = new Map<number, unknown>([
    [
      CWT_CLAIMS,
      new Map<number | string, string>([
        [ISSUER, issuer],
        [SUBJECT, `vcon://${uuid}`],
        ["vcon_event", event],
      ]),
    ],
    [PAYLOAD_HASH_ALG, SHA_256],
    [PREIMAGE_CONTENT_TYPE, "application/vcon+json"],
    chain.length === 0 ? [KID, keyIdOf(signingKey.key)] : [X5CHAIN, chain.length === 1 ? chain[0] : chain],
  ]);
  return makeSign1({ signingKey, header, payload: new Uint8Array(statementHash(document)) });
}

/** SHA-256 of the public key (SubjectPublicKeyInfo). */
function keyIdOf(key: KeyObject): Uint8Array {
  const der = createPublicKey(key).export({ type: "spki", format: "der" });
  return new Uint8Array(createHash("sha256").update(der).digest());
}

/** A statement by one key that names another is believed by nobody. */
function checkOwner(certificate: string | undefined, key: KeyObject): void {
  if (certificate === undefined || new X509Certificate(certificate).checkPrivateKey(key)) return;
  throw new VconductorError(
    "invalid_key",
    "certificate_chain_pems: the first certificate is not that of private_pem_key",
  );
}

function derOf(pem: string): Uint8Array {
  try {
    return new Uint8Array(new X509Certificate(pem).raw);
  } catch (cause) {
    throw new VconductorError("invalid_key", "certificate_chain_pems: not the PEM text of a certificate", {
      cause,
    });
  }
}
