import { Type } from "typebox";
import { VconError } from "../document/errors.ts";
import type { VconDocument } from "../document/states.ts";
import { defineSealFilter } from "./define-filter.ts";

/* Cryptography is loaded by the filter that needs it: a host offers filters that hardly anybody may use. */

/* Certificates are no secrets, but a host that keeps secrets by name may let them be named in the same way. */
const pem = (title: string, description: string) =>
  Type.String({ title, description, default: "", reference: true });
const secretPem = (title: string, description: string) =>
  Type.String({ title, description, default: "", writeOnly: true });
const pems = (title: string, description: string) =>
  Type.Array(Type.String(), { title, description, default: [], reference: true });

const signOptions = Type.Object({
  private_pem_key: secretPem(
    "private key",
    "PEM text of the signer's private key: RSA signs with RS256, P-256 with ES256.",
  ),
  cert_chain_pems: pems(
    "certificates",
    "PEM texts: the signer's certificate first, then whoever issued the one before.",
  ),
  layout: Type.Union([Type.Literal("interop"), Type.Literal("strict")], {
    title: "layout",
    description: "interop: the Python reference verifies it too. strict: as RFC 7515 wants it.",
    default: "interop",
  }),
});

export const signFilter = defineSealFilter<{
  readonly private_pem_key: string;
  readonly cert_chain_pems: readonly string[];
  readonly layout: "interop" | "strict";
}>({
  name: "sign",
  title: "Sign",
  description: "Signs the vCon (JWS) with a private key and the chain of its certificates.",
  version: "1.0.0",
  options: signOptions,
  accepts: ["unsigned", "verified"],
  async applyToDocument(document, { private_pem_key, cert_chain_pems, layout }) {
    const key = given(private_pem_key, "private_pem_key");
    if (document.state !== "unsigned" && document.state !== "verified") return document;
    const { sign } = await import("../security/sign.ts");
    return sign(document, { key, chain: givenList(cert_chain_pems, "cert_chain_pems"), layout });
  },
});

const verifyOptions = Type.Object({
  allowed_ca_cert_pems: pems(
    "authorities",
    "PEM texts of the certificates that are trusted; the chain must end at one.",
  ),
  chain: Type.Union([Type.Literal("strict"), Type.Literal("lax")], {
    title: "chain",
    description: "lax: names, signatures and dates of the certificates only, for those of X.509 version 1.",
    default: "strict",
  }),
});

export const verifyFilter = defineSealFilter<{
  readonly allowed_ca_cert_pems: readonly string[];
  readonly chain: "strict" | "lax";
}>({
  name: "verify",
  title: "Verify",
  description: "Verifies the signature and its chain of certificates, and gives the content.",
  version: "1.0.0",
  options: verifyOptions,
  accepts: ["unverified", "signed"],
  async applyToDocument(document, { allowed_ca_cert_pems, chain }) {
    if (document.state !== "unverified" && document.state !== "signed") return document;
    const { verify } = await import("../security/verify.ts");
    return verify(document, { trust: givenList(allowed_ca_cert_pems, "allowed_ca_cert_pems"), chain });
  },
});

const encryptOptions = Type.Object({
  public_pem_key: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
    title: "recipients",
    description: "PEM text of the recipient's certificate or public key (RSA), or a list of them.",
    default: "",
    reference: true,
  }),
  algorithm: Type.Union([Type.Literal("RSA-OAEP"), Type.Literal("RSA-OAEP-256")], {
    title: "algorithm",
    description: "How the content's key is encrypted.",
    default: "RSA-OAEP",
  }),
});

export const encryptFilter = defineSealFilter<{
  readonly public_pem_key: string | readonly string[];
  readonly algorithm: "RSA-OAEP" | "RSA-OAEP-256";
}>({
  name: "encrypt",
  title: "Encrypt",
  description: "Encrypts a signed vCon (JWE) for one or more recipients.",
  version: "1.0.0",
  options: encryptOptions,
  accepts: ["signed", "unverified", "verified"],
  async applyToDocument(document, { public_pem_key, algorithm }) {
    const recipients = givenList(
      typeof public_pem_key === "string" ? [public_pem_key] : public_pem_key,
      "public_pem_key",
    );
    if (document.state === "unsigned" || document.state === "encrypted") return document;
    const { encrypt } = await import("../security/encrypt.ts");
    return encrypt(document, { recipients, algorithm });
  },
});

const decryptOptions = Type.Object({
  private_pem_key: secretPem("private key", "PEM text of a recipient's private key (RSA)."),
  public_pem_key: pem("certificate", "Not needed; taken because the reference asks for it."),
});

export const decryptFilter = defineSealFilter<{ readonly private_pem_key: string }>({
  name: "decrypt",
  title: "Decrypt",
  description: "Decrypts the vCon. What comes out is usually signed, and still to be verified.",
  version: "1.0.0",
  options: decryptOptions,
  accepts: ["encrypted"],
  async applyToDocument(document: VconDocument, { private_pem_key }) {
    if (document.state !== "encrypted") return document;
    const { decrypt } = await import("../security/decrypt.ts");
    return decrypt(document, { key: given(private_pem_key, "private_pem_key") });
  },
});

function given(value: string, option: string): string {
  if (value.trim() !== "") return value;
  throw new VconError("invalid_option", `The option ${option} is missing: give PEM text.`);
}

function givenList(values: readonly string[], option: string): readonly string[] {
  const [first, ...rest] = values.filter((value) => value.trim() !== "");
  return [given(first ?? "", option), ...rest];
}
