import type { JsonValue } from "./types.ts";

export type VconErrorCode = "not_json" | "too_deep" | "not_a_vcon" | "no_uuid" | "unsupported_version";

/** One thing that is wrong with a document. */
export interface Finding {
  /** Where, from the top of the document: member names and array indices. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The offending value when it is a scalar; long strings are cut. */
  readonly input?: JsonValue;
}

/** Thrown for a document that cannot be read. */
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
