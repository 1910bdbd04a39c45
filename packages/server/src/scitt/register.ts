import { setTimeout as sleep } from "node:timers/promises";
import { decode } from "cborg";
import type { Response } from "undici";
import { VconductorError } from "../errors.ts";
import { type CallContext, retryAfter } from "../providers/call.ts";
import { type Attempt, withRetries } from "../providers/retry.ts";
import { readSign1, writeSign1 } from "./cose-sign1.ts";

/** The unprotected header that holds receipts. */
const RECEIPTS = 394;
/** How long to wait before asking again, when the service does not say; and at least, whatever it says. */
const POLL_MS = 1000;
const SHORTEST_POLL_MS = 100;
const MOST_BYTES = 1024 * 1024;
const provider = "transparency service";

export interface Registration {
  /** Of the service, without `/entries`. */
  readonly url: string;
  /** Empty: none is sent. */
  readonly token: string;
  readonly statement: Uint8Array;
  /** How long to wait for a receipt that does not come at once, in milliseconds. */
  readonly waitMs: number;
}

/**
 * Registers a statement with a transparency service (SCITT reference API), and gives the statement with the receipt.
 *
 * @throws provider_failed the service refuses it, gives no receipt in time, or something that is none
 */
export async function register(context: CallContext, options: Registration): Promise<Uint8Array> {
  const { url, token, statement, waitMs } = options;
  const entries = new URL(`${url.replace(/\/+$/, "")}/entries`);
  // Where the service sends us may be somebody else's: the token stays with the service.
  const headersFor = ({ origin }: URL): Readonly<Record<string, string>> => ({
    accept: "application/cose",
    ...(token !== "" && origin === entries.origin ? { authorization: `Bearer ${token}` } : {}),
  });
  const until = Date.now() + waitMs;
  let answer = await send(context, entries, {
    method: "POST",
    headers: { ...headersFor(entries), "content-type": "application/cose" },
    body: statement,
  });
  while (answer.pending !== undefined) {
    if (Date.now() + answer.waitMs > until) {
      throw failed(
        `has not registered the statement within ${waitMs / 1000} s; it may still do so: ${answer.pending}`,
      );
    }
    await sleep(answer.waitMs, undefined, { signal: context.signal });
    const next = new URL(answer.pending);
    answer = await send(context, next, { headers: headersFor(next) });
  }
  return withReceipt(statement, answer.bytes);
}

type Answer =
  | { readonly bytes: Uint8Array; readonly pending?: undefined }
  /** Where to ask again, and when. */
  | { readonly pending: string; readonly waitMs: number };

function send(context: CallContext, url: URL, init: Parameters<CallContext["fetch"]>[1]): Promise<Answer> {
  return withRetries(context, provider, async (): Promise<Attempt<Answer>> => {
    const timeoutMs = Number(context.setting("PROVIDER_TIMEOUT_SECONDS")) * 1000;
    try {
      const response = await context.fetch(url.href, {
        ...init,
        redirect: "manual",
        timeoutMs,
        maxBytes: MOST_BYTES,
      });
      return await outcomeOf(context, { response, url });
    } catch (error) {
      if (context.signal.aborted) throw error;
      if (!(error instanceof VconductorError) || error.code !== "provider_failed") throw error;
      return { error: failed(error.message), again: true };
    }
  });
}

async function outcomeOf(
  context: CallContext,
  { response, url }: { readonly response: Response; readonly url: URL },
): Promise<Attempt<Answer>> {
  const { status, headers } = response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  const waitMs = retryAfter(headers.get("retry-after"), Date.now());
  if (status === 200 || status === 201) return { answer: { bytes } };
  if (status === 202 || status === 302 || status === 303) {
    const pending = URL.parse(headers.get("location") ?? "", url.href) ?? url;
    return { answer: { pending: pending.href, waitMs: Math.max(SHORTEST_POLL_MS, waitMs ?? POLL_MS) } };
  }
  const error = failed(
    `answered ${status}: ${context.mask(problemOf(bytes)).slice(0, 500) || "(nothing more)"}`,
  );
  return { error, again: status === 408 || status === 429 || status >= 500, retryAfterMs: waitMs };
}

/** Concise problem details (RFC 9290) as text; anything else as it is. */
function problemOf(bytes: Uint8Array): string {
  try {
    const problem: unknown = decode(bytes, { useMaps: true });
    if (problem instanceof Map) {
      const parts = [problem.get(-1), problem.get(-2)].filter((part) => typeof part === "string");
      if (parts.length > 0) return parts.join(": ");
    }
  } catch {
    // Not CBOR: most likely text.
  }
  return new TextDecoder().decode(bytes).trim();
}

function withReceipt(statement: Uint8Array, receipt: Uint8Array): Uint8Array {
  try {
    readSign1(receipt);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw failed(`gave what is no receipt: ${why}`);
  }
  const signed = readSign1(statement);
  return writeSign1({ ...signed, unprotectedHeader: new Map([[RECEIPTS, [receipt]]]) });
}

function failed(what: string): VconductorError {
  return new VconductorError("provider_failed", `${provider} ${what}`);
}
