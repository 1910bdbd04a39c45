import type { JsonValue } from "./types.ts";

/** What went wrong: a closed set. */
export type VconErrorCode =
  /** The text is not JSON, or the bytes are neither JSON nor gzip of it. */
  | "not_json"
  | "too_deep"
  | "not_a_vcon"
  | "no_uuid"
  | "unsupported_version"
  /** The document breaks rules of the draft; `findings` lists them. */
  | "invalid_vcon"
  /** The operation needs a vCon in another state, for example an unsigned one. */
  | "invalid_state"
  /** An option, argument or index that cannot be used. */
  | "invalid_option"
  /** A key or certificate that is not PEM text, or not of a kind that is supported. */
  | "invalid_key"
  /** The signature does not match what it signs. */
  | "invalid_signature"
  /** The chain of certificates does not end at a certificate that is trusted, or is broken. */
  | "untrusted_certificate"
  /** A certificate of the chain is not valid yet, or no longer. */
  | "expired_certificate"
  | "decryption_failed"
  /** Content does not have the hash that the vCon gives for it. */
  | "hash_mismatch"
  /** Content could not be fetched. */
  | "fetch_failed"
  /** A file to import is not what it should be. */
  | "invalid_import"
  /** A jq program that does not compile, fails, or gives something that cannot be used. */
  | "invalid_query";

/** One thing that is wrong with a document. */
export interface Finding {
  /** Where, from the top of the document: member names and array indices. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The offending value when it is a scalar; long strings are cut. */
  readonly input?: JsonValue;
}

/** Thrown for a document that cannot be read or used; `message` is one line that a user can act on. */
export class VconError extends Error {
  override readonly name = "VconError";
  readonly code: VconErrorCode;
  readonly findings: readonly Finding[];

  constructor(
    code: VconErrorCode,
    message: string,
    { findings, cause }: { readonly findings?: readonly Finding[]; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.findings = findings ?? [{ path: [], message }];
  }
}
