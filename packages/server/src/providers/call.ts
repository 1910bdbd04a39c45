import type { JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";
import type { ProcessorContext } from "../processors/define.ts";
import type { GuardedInit } from "../processors/fetch.ts";
import { type Attempt, withRetries } from "./retry.ts";

export type CallContext = Pick<ProcessorContext, "fetch" | "signal" | "log" | "setting" | "mask">;

export interface ProviderCall {
  /** What error texts and the log call it, for example "openai". */
  readonly provider: string;
  readonly url: string | URL;
  /** Its body is sent again on a retry: no streams. */
  readonly init?: GuardedInit;
}

/** What a provider answered, read to the end. */
export interface ProviderAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly text: string;
}

/** How much of an answer an error shows, in characters. */
const SHOWN = 500;

/**
 * Calls a provider over HTTP. Tries again after 408, 429, 5xx, network failures and timeouts: PROVIDER_RETRIES times,
 * as long as `Retry-After` says, else PROVIDER_RETRY_SECONDS, doubled each time, with jitter.
 *
 * @throws provider_failed says provider, status and the first 500 characters of the answer
 * @throws fetch_refused the address may not be reached
 */
export async function callProvider(context: CallContext, call: ProviderCall): Promise<ProviderAnswer> {
  return await withRetries(context, call.provider, () => once(context, call));
}

/** As `callProvider`, for answers that are JSON. */
export async function callForJson(context: CallContext, call: ProviderCall): Promise<JsonValue> {
  const { text, status } = await callProvider(context, call);
  try {
    return JSON.parse(text);
  } catch {
    throw failed(call.provider, `answered ${status} with what is not JSON: ${excerpt(context, text)}`);
  }
}

async function once(
  context: CallContext,
  { provider, url, init = {} }: ProviderCall,
): Promise<Attempt<ProviderAnswer>> {
  const timeoutMs = init.timeoutMs ?? Number(context.setting("PROVIDER_TIMEOUT_SECONDS")) * 1000;
  try {
    const response = await context.fetch(url, { ...init, timeoutMs });
    const { status, headers } = response;
    const text = await response.text();
    if (response.ok) return { answer: { status, headers, text } };
    return {
      error: failed(provider, `answered ${status}: ${excerpt(context, text)}`),
      again: status === 408 || status === 429 || status >= 500,
      retryAfterMs: retryAfter(headers.get("retry-after"), Date.now()),
    };
  } catch (error) {
    if (context.signal.aborted) throw error;
    if (!(error instanceof VconductorError) || error.code !== "provider_failed") throw error;
    return { error: failed(provider, error.message), again: true };
  }
}

function failed(provider: string, what: string): VconductorError {
  return new VconductorError("provider_failed", `${provider} ${what}`);
}

function excerpt(context: CallContext, text: string): string {
  const short = context.mask(text.trim()).slice(0, SHOWN);
  return short === "" ? "(nothing more)" : short;
}

/** The header is a number of seconds or a date (RFC 9110, section 10.2.3). */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
