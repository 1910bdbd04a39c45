import * as asn1 from "asn1js";
import { type CryptoKey, importPKCS8, importSPKI } from "jose";
import type { Certificate } from "pkijs";
import { VconError } from "../document/errors.ts";
import { parseCertificate, publicKeyBlock } from "./certificate.ts";
import { type PemBlock, pemBlocks, toPem } from "./pem.ts";

export type KeyKind = "RSA" | "P-256" | "P-384" | "P-521";

const RSA = "1.2.840.113549.1.1.1";
const EC = "1.2.840.10045.2.1";
const curves = new Map<string, KeyKind>([
  ["1.2.840.10045.3.1.7", "P-256"],
  ["1.3.132.0.34", "P-384"],
  ["1.3.132.0.35", "P-521"],
]);

/** A key that has been read but is not yet bound to an algorithm. */
export interface KeyBlock extends PemBlock {
  readonly kind: KeyKind;
}

/**
 * A private key from PEM text: PKCS #8 ("PRIVATE KEY"), PKCS #1 ("RSA PRIVATE KEY") or SEC 1 ("EC PRIVATE KEY").
 *
 * @throws VconError invalid_key
 */
export function readPrivateKey(pem: string): KeyBlock {
  const block = pemBlocks(pem, "the private key").find(({ label }) => /PRIVATE KEY$/.test(label));
  if (block === undefined)
    throw new VconError("invalid_key", "The private key is not there: the PEM text holds something else.");
  const pkcs8 = toPkcs8(block);
  return { ...pkcs8, kind: kindOf(pkcs8.der, 1) };
}

/** A public key from PEM text: a certificate's, or one by itself ("PUBLIC KEY"). @throws VconError invalid_key */
export function readPublicKey(pem: string, what: string): KeyBlock {
  const [block] = pemBlocks(pem, what).filter(({ label }) => /(?:CERTIFICATE|PUBLIC KEY)$/.test(label));
  if (block === undefined || block.label === "RSA PUBLIC KEY") {
    throw new VconError("invalid_key", `${what}: neither a certificate nor a PUBLIC KEY block.`);
  }
  if (block.label === "PUBLIC KEY") return { ...block, kind: kindOf(block.der, 0) };
  return certificateKey(parseCertificate(block.der, what));
}

export function certificateKey(certificate: Certificate): KeyBlock {
  const spki = publicKeyBlock(certificate);
  return { ...spki, kind: kindOf(spki.der, 0) };
}

export async function importPrivate(key: KeyBlock, algorithm: string): Promise<CryptoKey> {
  return importPKCS8(toPem(key), algorithm).catch((cause: unknown) => {
    throw new VconError("invalid_key", `The private key is damaged, or does not serve ${algorithm}.`, {
      cause,
    });
  });
}

/** What was made of a key, for as long as somebody has the key: chains that were checked keep theirs. */
const imported = new WeakMap<PemBlock, Map<string, CryptoKey>>();

export async function importPublic(block: PemBlock, algorithm: string): Promise<CryptoKey> {
  const known = imported.get(block) ?? new Map<string, CryptoKey>();
  const key =
    known.get(algorithm) ??
    (await importSPKI(toPem(block), algorithm).catch((cause: unknown) => {
      const message = `The public key is damaged, or does not serve ${algorithm}.`;
      throw new VconError("invalid_key", message, { cause });
    }));
  imported.set(block, known.set(algorithm, key));
  return key;
}

/** What kind of key a PKCS #8 (`at` 1) or SubjectPublicKeyInfo (`at` 0) holds: both name it in an AlgorithmIdentifier. */
function kindOf(der: Uint8Array<ArrayBuffer>, at: 0 | 1): KeyKind {
  const algorithm = children(children(asn1.fromBER(der.slice()).result)[at]);
  const oid = objectIdentifier(algorithm[0]);
  const kind =
    oid === RSA ? "RSA" : oid === EC ? curves.get(objectIdentifier(algorithm[1]) ?? "") : undefined;
  if (kind === undefined) {
    throw new VconError(
      "invalid_key",
      "Only RSA keys and elliptic curve keys (P-256, P-384, P-521) are supported.",
    );
  }
  return kind;
}

/** The older two kinds of private key are what PKCS #8 has inside; wrapped, WebCrypto takes them too. */
function toPkcs8({ label, der }: PemBlock): PemBlock {
  if (label === "PRIVATE KEY") return { label, der };
  if (label === "RSA PRIVATE KEY")
    return wrap(der, [new asn1.ObjectIdentifier({ value: RSA }), new asn1.Null()]);
  if (label === "EC PRIVATE KEY") {
    const named = children(asn1.fromBER(der.slice()).result).find((part) => part.idBlock.tagNumber === 0);
    const curve = objectIdentifier(children(named)[0]);
    if (curve !== undefined) {
      return wrap(der, [
        new asn1.ObjectIdentifier({ value: EC }),
        new asn1.ObjectIdentifier({ value: curve }),
      ]);
    }
  }
  const hint = "Convert it: openssl pkcs8 -topk8 -nocrypt -in key.pem -out key8.pem";
  throw new VconError(
    "invalid_key",
    `The private key is of a kind that is not supported (${label}). ${hint}`,
  );
}

function wrap(der: Uint8Array<ArrayBuffer>, algorithm: asn1.BaseBlock[]): PemBlock {
  const value = [
    new asn1.Integer({ value: 0 }),
    new asn1.Sequence({ value: algorithm }),
    new asn1.OctetString({ valueHex: der.buffer }),
  ];
  return { label: "PRIVATE KEY", der: new Uint8Array(new asn1.Sequence({ value }).toBER()) };
}

function children(block: asn1.BaseBlock | undefined): readonly asn1.BaseBlock[] {
  return block instanceof asn1.Constructed ? block.valueBlock.value : [];
}

function objectIdentifier(block: asn1.BaseBlock | undefined): string | undefined {
  return block instanceof asn1.ObjectIdentifier ? block.valueBlock.toString() : undefined;
}
