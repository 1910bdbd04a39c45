import { BasicConstraints, type Certificate, type Extension } from "pkijs";
import { nameText } from "./certificate.ts";

const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";

/** Extensions that may be critical: those two are checked here, the others only say more about the subject. */
const understood = new Set([
  BASIC_CONSTRAINTS,
  KEY_USAGE,
  "2.5.29.17",
  "2.5.29.18",
  "2.5.29.37",
  "2.5.29.14",
  "2.5.29.35",
]);

/** Signatures with MD5 or SHA-1. */
const weak = new Set(["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.3.14.3.2.29"]);
const MIN_RSA_BITS = 2048;

/** Bits of key usage, as the first byte of the extension has them. */
const DIGITAL_SIGNATURE = 0x80;
const NON_REPUDIATION = 0x40;
const CERTIFICATE_SIGN = 0x04;

/**
 * What RFC 5280 has against a path (the signer first, the trusted certificate last), or undefined. The trusted
 * certificate is trusted as it is, but a CA it must be when it has issued another.
 */
export function strictFinding(path: readonly Certificate[]): string | undefined {
  for (const [index, certificate] of path.entries()) {
    const name = `Certificate ${index + 1} of ${path.length} (${nameText(certificate.subject)})`;
    const isAnchor = index === path.length - 1;
    const reason =
      (isAnchor ? undefined : ownFinding(certificate)) ??
      (index === 0 ? signerFinding(certificate) : issuerFinding(certificate, index - 1));
    if (reason !== undefined) return `${name} ${reason}.`;
  }
  return undefined;
}

function ownFinding(certificate: Certificate): string | undefined {
  if (certificate.version !== 2) {
    return `is of X.509 version ${certificate.version + 1}, not 3; the lax chain mode takes it`;
  }
  if (weak.has(certificate.signatureAlgorithm.algorithmId))
    return "is signed with a weak hash (MD5 or SHA-1)";
  const strange = certificate.extensions?.find(({ critical, extnID }) => critical && !understood.has(extnID));
  if (strange !== undefined) return `has a critical extension that is not understood (${strange.extnID})`;
  const bits = rsaBits(certificate);
  return bits !== undefined && bits < MIN_RSA_BITS ? `has an RSA key of only ${bits} bits` : undefined;
}

function rsaBits(certificate: Certificate): number | undefined {
  const key = certificate.subjectPublicKeyInfo.parsedKey;
  if (key === undefined || !("modulus" in key)) return undefined;
  const bytes = key.modulus.valueBlock.valueHexView;
  const first = bytes.findIndex((byte) => byte !== 0);
  return (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}

function signerFinding(certificate: Certificate): string | undefined {
  const usage = keyUsage(certificate);
  if (usage === undefined || (usage & (DIGITAL_SIGNATURE | NON_REPUDIATION)) !== 0) return undefined;
  return "is not meant for signing (key usage)";
}

/** @param below how many certificates of CAs stand between this one and the signer's */
function issuerFinding(certificate: Certificate, below: number): string | undefined {
  const constraints = extension(certificate, BASIC_CONSTRAINTS)?.parsedValue;
  if (!(constraints instanceof BasicConstraints) || !constraints.cA) {
    return "is not a certificate authority, yet has issued another certificate";
  }
  const limit = constraints.pathLenConstraint;
  if (typeof limit === "number" && below > limit)
    return `allows only ${limit} authorities below it, not ${below}`;
  const usage = keyUsage(certificate);
  if (usage !== undefined && (usage & CERTIFICATE_SIGN) === 0)
    return "is not meant for signing certificates (key usage)";
  return undefined;
}

function keyUsage(certificate: Certificate): number | undefined {
  const value = extension(certificate, KEY_USAGE)?.parsedValue;
  return value === undefined ? undefined : value.valueBlock.valueHexView[0];
}

function extension(certificate: Certificate, id: string): Extension | undefined {
  return certificate.extensions?.find(({ extnID }) => extnID === id);
}
