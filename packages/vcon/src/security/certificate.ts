import { Certificate, type RelativeDistinguishedNames } from "pkijs";
import { VconError } from "../document/errors.ts";
import type { Signer } from "../document/states.ts";
import type { PemBlock } from "./pem.ts";

/** @param what names the certificate in errors. @throws VconError invalid_key */
export function parseCertificate(der: Uint8Array<ArrayBuffer>, what: string): Certificate {
  try {
    return Certificate.fromBER(der);
  } catch (cause) {
    throw new VconError("invalid_key", `${what} is not an X.509 certificate.`, { cause });
  }
}

export function publicKeyBlock(certificate: Certificate): PemBlock {
  return { label: "PUBLIC KEY", der: new Uint8Array(certificate.subjectPublicKeyInfo.toSchema().toBER()) };
}

/** The attributes that tell people who it is, most telling first. */
const attributes = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.11", "OU"],
  ["2.5.4.10", "O"],
]);

/** A name for people: "CN=calls.example.com, OU=Support, O=Example". */
export function nameText(name: RelativeDistinguishedNames): string {
  const parts = [...attributes].flatMap(([type, label]) =>
    name.typesAndValues
      .filter((attribute) => attribute.type === type)
      .map(({ value }) => `${label}=${String(value.valueBlock.value).replace(/[\p{Cc}\s]+/gu, " ")}`),
  );
  return parts.length > 0 ? parts.join(", ") : "without a name";
}

/** What is told of a signer, apart from the algorithm of one signature. */
export type SignerIdentity = Omit<Signer, "algorithm">;

export async function identityOf(certificate: Certificate): Promise<SignerIdentity> {
  const der = certificate.toSchema().toBER();
  return {
    subject: nameText(certificate.subject),
    issuer: nameText(certificate.issuer),
    serialNumber: hex(certificate.serialNumber.valueBlock.valueHexView),
    fingerprint: hex(new Uint8Array(await crypto.subtle.digest("SHA-256", der))),
  };
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
