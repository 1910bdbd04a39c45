import * as asn1 from "asn1js";
import { exportPKCS8, type GenerateKeyPairResult, generateKeyPair } from "jose";
import { AttributeTypeAndValue, BasicConstraints, Certificate, Extension } from "pkijs";
import { toPem } from "./pem.ts";

export interface TestCertificatesOptions {
  /** Of the signer, for example "calls.example.com". */
  readonly name: string;
  /** Default: "RSA" with 2048 bits; "EC" is P-256, which signs but cannot be encrypted for */
  readonly keyType?: "RSA" | "EC";
  /** How long they are valid. Default: 825 */
  readonly days?: number;
  /** From when, in milliseconds since 1970. Default: an hour ago, so that clocks may differ */
  readonly from?: number;
}

/** PEM texts. */
export interface TestCertificates {
  readonly ca: { readonly certificate: string; readonly key: string };
  /** Issued by the CA, issues the signer's. */
  readonly intermediate: { readonly certificate: string; readonly key: string };
  /** The signer's and recipient's own. */
  readonly leaf: { readonly certificate: string; readonly key: string };
}

const DAY = 86_400_000;
const DIGITAL_SIGNATURE = 0x80;
const KEY_ENCIPHERMENT = 0x20;
const CERTIFICATE_SIGN = 0x04;
const CRL_SIGN = 0x02;

/**
 * A certificate authority of one's own, an authority below it, and a certificate to sign with and be encrypted for. To
 * try things out and for tests: whoever wants to be believed by others gets certificates from an authority they trust.
 */
export async function makeTestCertificates({
  name,
  keyType = "RSA",
  days = 825,
  from = Date.now() - DAY / 24,
}: TestCertificatesOptions): Promise<TestCertificates> {
  const dates = { notBefore: new Date(from), notAfter: new Date(from + days * DAY) };
  const [caKeys, intermediateKeys, leafKeys] = [
    await makeKeys(keyType),
    await makeKeys(keyType),
    await makeKeys(keyType),
  ];
  const authority = { subject: "vCon test CA", keys: caKeys };
  const below = { subject: "vCon test CA 2", keys: intermediateKeys };
  const signs = CERTIFICATE_SIGN | CRL_SIGN;
  return {
    ca: await issue(authority, { issuer: authority, ...dates, ca: true, usage: signs }),
    intermediate: await issue(below, { issuer: authority, ...dates, ca: true, pathLength: 0, usage: signs }),
    leaf: await issue(
      { subject: name, keys: leafKeys },
      { issuer: below, ...dates, ca: false, usage: DIGITAL_SIGNATURE | KEY_ENCIPHERMENT },
    ),
  };
}

interface Holder {
  readonly subject: string;
  readonly keys: GenerateKeyPairResult;
}

interface Issuance {
  readonly issuer: Holder;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly ca: boolean;
  readonly pathLength?: number;
  readonly usage: number;
}

export function makeKeys(type: "RSA" | "EC"): Promise<GenerateKeyPairResult> {
  return generateKeyPair(type === "EC" ? "ES256" : "RS256", { extractable: true });
}

/** A certificate for `holder` with its private key. */
export async function issue(
  holder: Holder,
  issuance: Issuance,
): Promise<{ certificate: string; key: string }> {
  const certificate = new Certificate();
  certificate.version = 2;
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  certificate.serialNumber = new asn1.Integer({ valueHex: serial.buffer });
  setName(certificate.subject.typesAndValues, holder.subject);
  setName(certificate.issuer.typesAndValues, issuance.issuer.subject);
  certificate.notBefore.value = issuance.notBefore;
  certificate.notAfter.value = issuance.notAfter;
  certificate.extensions = extensionsOf(issuance);
  await certificate.subjectPublicKeyInfo.importKey(holder.keys.publicKey);
  await certificate.sign(issuance.issuer.keys.privateKey, "SHA-256");
  const key = await exportPKCS8(holder.keys.privateKey);
  const der = new Uint8Array(certificate.toSchema().toBER());
  return { certificate: toPem({ label: "CERTIFICATE", der }), key: `${key.trim()}\n` };
}

function setName(attributes: AttributeTypeAndValue[], commonName: string): void {
  attributes.push(
    new AttributeTypeAndValue({ type: "2.5.4.3", value: new asn1.Utf8String({ value: commonName }) }),
  );
}

function extensionsOf({ ca, pathLength, usage }: Issuance): Extension[] {
  const constraints = new BasicConstraints({
    cA: ca,
    ...(pathLength === undefined ? {} : { pathLenConstraint: pathLength }),
  });
  const unused = 31 - Math.clz32(usage & -usage);
  const bits = new asn1.BitString({ valueHex: new Uint8Array([usage]).buffer, unusedBits: unused });
  return [
    new Extension({ extnID: "2.5.29.19", critical: true, extnValue: constraints.toSchema().toBER() }),
    new Extension({ extnID: "2.5.29.15", critical: true, extnValue: bits.toBER() }),
  ];
}
