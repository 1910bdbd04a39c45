import type { Certificate } from "pkijs";
import { decodeBase64url, encodeBase64 } from "../document/base64url.ts";
import { VconError } from "../document/errors.ts";
import { identityOf, nameText, parseCertificate, type SignerIdentity } from "./certificate.ts";
import { strictFinding } from "./chain-rules.ts";
import { certificateKey, type KeyBlock } from "./keys.ts";
import type { PemBlock } from "./pem.ts";

/**
 * How much is asked of a chain. "strict": what RFC 5280 asks of the certificates themselves (version 3, CA flags, path
 * length, key usage, no critical extension that is not understood, no weak hash or key). "lax": names, signatures and
 * dates only, for the certificates of version 1 that the working group's examples carry. Neither asks for revocation.
 */
export type ChainMode = "strict" | "lax";

export interface ChainCheck {
  /** Certificates that are trusted. */
  readonly trust: readonly PemBlock[];
  readonly mode: ChainMode;
  /** When the chain must be valid, in milliseconds since 1970. */
  readonly at: number;
}

/** The certificates of a JWS header: standard base64 of DER, the signer's own first. */
export type X5c = readonly string[];

/** More than any chain in use has. */
const MAX_CHAIN = 10;

/** A chain that was found good. */
export interface TrustedSigner {
  readonly key: KeyBlock;
  readonly identity: SignerIdentity;
}

/**
 * The signer of a chain that ends at a trusted certificate. Says which certificate failed, and why.
 *
 * @throws VconError invalid_key, untrusted_certificate, expired_certificate
 */
export async function checkChain(x5c: X5c, check: ChainCheck): Promise<TrustedSigner> {
  const name = `${check.mode}\n${check.trust.map(({ der }) => encodeBase64(der)).join()}\n${x5c.join()}`;
  const known = checked.get(name);
  const found = known ?? (await describePath(await findPath(x5c, check)));
  checkDates(found.path, check.at);
  if (known === undefined) remember(name, found);
  return found.signer;
}

interface CheckedChain {
  readonly path: readonly Certificate[];
  readonly signer: TrustedSigner;
}

/** Chains that were found good, dates apart: senders sign everything with the same one, and parsing costs most. */
const checked = new Map<string, CheckedChain>();
const MAX_CHECKED = 100;

function remember(name: string, chain: CheckedChain): void {
  if (checked.size >= MAX_CHECKED) checked.clear();
  checked.set(name, chain);
}

async function describePath(path: readonly Certificate[]): Promise<CheckedChain> {
  const [leaf] = path;
  if (leaf === undefined) throw untrusted("The chain of certificates is empty.");
  return { path, signer: { key: certificateKey(leaf), identity: await identityOf(leaf) } };
}

async function findPath(x5c: X5c, { trust, mode }: ChainCheck): Promise<readonly Certificate[]> {
  if (x5c.length === 0) throw untrusted("The chain of certificates is empty.");
  if (x5c.length > MAX_CHAIN)
    throw untrusted(`The chain has ${x5c.length} certificates; at most ${MAX_CHAIN} are taken.`);
  const chain = x5c.map((text, index) =>
    parseCertificate(derOf(text, index), `Certificate ${index + 1} of the chain`),
  );
  const anchors = trust.map(({ der }, index) => parseCertificate(der, `Trusted certificate ${index + 1}`));
  const path: Certificate[] = [];
  for (const [index, certificate] of chain.entries()) {
    path.push(certificate);
    if (anchors.some((anchor) => same(anchor, certificate))) return strictly(path, mode);
    const anchor = await issuerAmong(anchors, certificate);
    if (anchor !== undefined) return strictly([...path, anchor], mode);
    const next = chain[index + 1];
    if (next !== undefined) await checkIssued(certificate, { issuer: next, index });
  }
  const last = chain.at(-1);
  const issuer = last === undefined ? "" : ` Its last certificate was issued by: ${nameText(last.issuer)}.`;
  throw untrusted(`The chain of certificates does not end at a trusted certificate.${issuer}`);
}

function derOf(text: string, index: number): Uint8Array<ArrayBuffer> {
  const der = decodeBase64url(text);
  if (der !== undefined && encodeBase64(der) === text) return der;
  throw new VconError("invalid_key", `Certificate ${index + 1} of the chain is not standard base64.`);
}

function same(a: Certificate, b: Certificate): boolean {
  const [one, other] = [bytesOf(a), bytesOf(b)];
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

function bytesOf(certificate: Certificate): Uint8Array {
  return new Uint8Array(certificate.toSchema().toBER());
}

async function issuerAmong(anchors: readonly Certificate[], certificate: Certificate) {
  for (const anchor of anchors) {
    if (certificate.issuer.isEqual(anchor.subject) && (await signedBy(certificate, anchor))) return anchor;
  }
  return undefined;
}

async function checkIssued(
  certificate: Certificate,
  { issuer, index }: { readonly issuer: Certificate; readonly index: number },
): Promise<void> {
  const [one, next] = [`Certificate ${index + 1} of the chain (${nameText(certificate.subject)})`, index + 2];
  if (!certificate.issuer.isEqual(issuer.subject)) {
    throw untrusted(
      `${one} was not issued by certificate ${next}: it names ${nameText(certificate.issuer)}.`,
    );
  }
  if (!(await signedBy(certificate, issuer))) {
    throw untrusted(
      `${one} does not bear the signature of certificate ${next} (${nameText(issuer.subject)}).`,
    );
  }
}

async function signedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  try {
    return await certificate.verify(issuer);
  } catch {
    return false;
  }
}

function strictly(path: readonly Certificate[], mode: ChainMode): readonly Certificate[] {
  const finding = mode === "strict" ? strictFinding(path) : undefined;
  if (finding !== undefined) throw untrusted(finding);
  return path;
}

function checkDates(path: readonly Certificate[], at: number): void {
  for (const [index, { subject, notBefore, notAfter }] of path.entries()) {
    const name = `Certificate ${index + 1} of ${path.length} (${nameText(subject)})`;
    if (!(at >= notBefore.value.getTime())) {
      throw new VconError(
        "expired_certificate",
        `${name} is not valid before ${notBefore.value.toISOString()}.`,
      );
    }
    if (!(at <= notAfter.value.getTime())) {
      throw new VconError("expired_certificate", `${name} expired at ${notAfter.value.toISOString()}.`);
    }
  }
}

function untrusted(message: string): VconError {
  return new VconError("untrusted_certificate", message);
}
