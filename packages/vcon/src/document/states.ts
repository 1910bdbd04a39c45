import { rewrite } from "./rewrite.ts";
import type { EncryptedVcon, JsonObject, SignedVcon, Vcon } from "./types.ts";

/*
 * The states of a vCon are types: only where there is a member `vcon` may the content be read.
 *
 *   unsigned -- sign --> signed -- encrypt --> encrypted
 *   (read a JWS) unverified -- verify --> verified        unverified -- encrypt --> encrypted
 *   (read a JWE) encrypted -- decrypt --> unverified
 */

export type VconState = "unsigned" | "signed" | "unverified" | "verified" | "encrypted";

/** The content and where it comes from: `vcon` may be a newer version, or a changed copy, of what `source` says. */
interface Readable {
  readonly uuid: string;
  /** In the newest version of the format. */
  readonly vcon: Vcon;
  /** What was read: its text, and what `JSON.parse` makes of it. */
  readonly source: Source;
}

export interface Source {
  readonly text: string;
  readonly value: JsonObject;
}

export interface UnsignedDocument extends Readable {
  readonly state: "unsigned";
}

/** Signed by this program a moment ago, so the content is known to be what was signed. */
export interface SignedDocument extends Readable {
  readonly state: "signed";
  readonly jws: SignedVcon;
}

/** Signed by somebody: nothing is to be believed, or read, before `verify`. */
export interface UnverifiedDocument {
  readonly state: "unverified";
  /** What the document claims to be, if it does. */
  readonly uuid: string | undefined;
  readonly jws: SignedVcon;
  readonly text: string;
}

export interface VerifiedDocument extends Readable {
  readonly state: "verified";
  readonly jws: SignedVcon;
  /** Whose signature was verified; of a document that was signed again and again, the last signer first. */
  readonly signers: readonly Signer[];
}

export interface EncryptedDocument {
  readonly state: "encrypted";
  /** What the document claims to be, if it does. */
  readonly uuid: string | undefined;
  readonly jwe: EncryptedVcon;
  readonly text: string;
}

/** Who signed: the first certificate of the chain, or no name where a key was trusted without one. */
export interface Signer {
  readonly algorithm: string;
  /** For example "CN=calls.example.com, O=Example". */
  readonly subject: string | undefined;
  readonly issuer: string | undefined;
  readonly serialNumber: string | undefined;
  /** SHA-256 of the certificate, in hexadecimal. */
  readonly fingerprint: string | undefined;
}

export type VconDocument =
  | UnsignedDocument
  | SignedDocument
  | UnverifiedDocument
  | VerifiedDocument
  | EncryptedDocument;

export type ReadableDocument = UnsignedDocument | SignedDocument | VerifiedDocument;

/**
 * An unsigned document with new content. What did not change keeps the spelling it had in the document's text.
 *
 * @param vcon a changed copy of `document.vcon`
 */
export function withContent(document: ReadableDocument, vcon: Vcon): UnsignedDocument {
  return { state: "unsigned", uuid: vcon.uuid, vcon, source: document.source };
}

/** An unsigned document of a vCon that was made here. */
export function fromContent(vcon: Vcon): UnsignedDocument {
  return { state: "unsigned", uuid: vcon.uuid, vcon, source: new MadeSource(vcon) };
}

/** Text that is written only when somebody asks for it. */
class MadeSource implements Source {
  readonly value: JsonObject;

  constructor(value: JsonObject) {
    this.value = value;
  }

  get text(): string {
    return JSON.stringify(this.value);
  }
}

/** The document as JSON value, as it travels. */
export function toValue(document: VconDocument): JsonObject {
  if (document.state === "unsigned") return document.vcon;
  return document.state === "encrypted" ? document.jwe : document.jws;
}

/** The JSON text of the content: the very text that was read, where nothing changed. */
export function contentText({ vcon, source }: ReadableDocument): string {
  if (vcon === source.value) return source.text;
  return rewrite({ text: source.text, original: source.value, changed: vcon });
}

/** The JSON text of a document as it travels: signed and encrypted ones as JWS and JWE. */
export function toText(document: VconDocument): string {
  if (document.state === "unsigned") return contentText(document);
  if (document.state === "unverified" || document.state === "encrypted") return document.text;
  return JSON.stringify(document.jws);
}
