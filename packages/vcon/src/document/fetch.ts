import { VconError } from "./errors.ts";
import { readStream } from "./read-stream.ts";

/** As much of `fetch` as is used, so that a host can give its own, such as one that refuses private addresses. */
export type Fetch = (url: string, init?: FetchInit) => Promise<FetchResponse>;

interface FetchInit {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface FetchResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly body: {
    getReader(): {
      read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
      cancel(): Promise<void>;
    };
  } | null;
}

/**
 * The body of a response.
 *
 * @param url names the response in errors
 * @throws VconError fetch_failed it is larger than `maxBytes`, or breaks off
 */
export async function readBody(
  response: FetchResponse,
  { url, maxBytes }: { readonly url: string; readonly maxBytes: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  return readStream(reader, {
    maxBytes,
    tooMuch: () => new VconError("fetch_failed", `${url} gives more than ${maxBytes} bytes.`),
    broken: (cause) => new VconError("fetch_failed", `${url} broke off: ${reasonOf(cause)}.`, { cause }),
  });
}

/** Why a fetch failed: its error hides the reason one level down. */
export function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? inner.message || inner.name : String(inner);
}
