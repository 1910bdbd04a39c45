import { isIP, type LookupFunction } from "node:net";
import { Agent, type Dispatcher, fetch, Headers, type RequestInit, type Response } from "undici";
import { VconductorError } from "../errors.ts";
import type { GuardedFetch, LookupAll } from "./fetch.ts";
import { isPublicAddress, refusedAddress } from "./fetch-addresses.ts";
import { limitBody } from "./fetch-body.ts";
import { rootMessage } from "./root-message.ts";

export interface GuardedHttpOptions {
  /** Hosts (`host` or `host:port`), in lower case, that may be reached wherever they are. */
  readonly allow: ReadonlySet<string>;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly lookup: LookupAll;
}

const MAX_REDIRECTS = 5;
const credentialHeaders = ["authorization", "cookie", "proxy-authorization"];
const bodyHeaders = [
  "content-type",
  "content-length",
  "content-encoding",
  "content-language",
  "transfer-encoding",
];

/** HTTP for the guard. In a module of its own, because undici is large and many servers never fetch anything. */
export class GuardedHttp {
  readonly #options: GuardedHttpOptions;
  readonly #open: Agent;
  readonly #guarded: Agent;

  constructor(options: GuardedHttpOptions) {
    this.#options = options;
    // Waiting is limited by `timeoutMs` alone: providers may think for long before they answer.
    const patient = { headersTimeout: 0, bodyTimeout: 0 };
    this.#open = new Agent(patient);
    this.#guarded = new Agent({ ...patient, connect: { lookup: publicLookup(options.lookup) } });
  }

  async stop(): Promise<void> {
    await Promise.all([this.#open.destroy(), this.#guarded.destroy()]);
  }

  readonly fetch: GuardedFetch = async (input, init = {}) => {
    let url = parseUrl(input);
    const { timeoutMs = this.#options.timeoutMs, maxBytes = this.#options.maxBytes, ...given } = init;
    const signals = [AbortSignal.timeout(timeoutMs), ...(given.signal ? [given.signal] : [])];
    let request: RequestInit = { ...given, signal: AbortSignal.any(signals), redirect: "manual" };
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await this.#once(url, request, timeoutMs);
      const location = isRedirect(response.status) ? response.headers.get("location") : null;
      if (location === null || given.redirect === "manual") {
        return limitBody(response, { maxBytes, onError: (cause) => failure(url, { cause, timeoutMs }) });
      }
      await response.body?.cancel();
      if (given.redirect === "error") break;
      const next = parseUrl(location, url);
      request = redirected(request, { status: response.status, sameOrigin: next.origin === url.origin });
      url = next;
    }
    throw new VconductorError("provider_failed", `fetch of ${url.host}: too many redirects`);
  };

  async #once(url: URL, request: RequestInit, timeoutMs: number): Promise<Response> {
    const { allow } = this.#options;
    const open = allow.has(url.host) || allow.has(url.hostname) || allow.has(hostPort(url));
    const literal = url.hostname.replace(/^\[|\]$/g, "");
    // No name to resolve, so the resolver never sees it.
    if (!open && isIP(literal) !== 0 && !isPublicAddress(literal)) throw refusedAddress(url.host, literal);
    const dispatcher: Dispatcher = open ? this.#open : this.#guarded;
    try {
      return await fetch(url, { ...request, dispatcher });
    } catch (cause) {
      throw failure(url, { cause, timeoutMs });
    }
  }
}

function failure(
  url: URL,
  { cause, timeoutMs }: { readonly cause: unknown; readonly timeoutMs: number },
): unknown {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (error instanceof VconductorError) return error;
    if (error.name === "AbortError") return error;
    if (error.name === "TimeoutError") {
      const text = `fetch of ${url.host}: no complete answer within ${timeoutMs / 1000} s`;
      return new VconductorError("provider_failed", text, { cause });
    }
  }
  return new VconductorError("provider_failed", `fetch of ${url.host} failed: ${rootMessage(cause)}`, {
    cause,
  });
}

function parseUrl(input: string | URL, base?: URL): URL {
  const url = URL.parse(String(input), base?.href);
  if (url === null) throw new VconductorError("fetch_refused", "fetch refused: not a URL");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new VconductorError("fetch_refused", `fetch refused: ${url.protocol} is neither http: nor https:`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new VconductorError(
      "fetch_refused",
      `fetch of ${url.host} refused: credentials in the URL, use a header`,
    );
  }
  return url;
}

function hostPort(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** The request for the next hop, by the rules of the Fetch standard ("HTTP-redirect fetch"). */
function redirected(
  request: RequestInit,
  { status, sameOrigin }: { readonly status: number; readonly sameOrigin: boolean },
): RequestInit {
  const headers = new Headers(request.headers);
  if (!sameOrigin) for (const name of credentialHeaders) headers.delete(name);
  const method = (request.method ?? "GET").toUpperCase();
  const toGet = status === 303 ? method !== "HEAD" : (status === 301 || status === 302) && method === "POST";
  if (!toGet) {
    if (request.body instanceof ReadableStream) {
      throw new VconductorError("provider_failed", "fetch: a streamed body cannot follow a redirect");
    }
    return { ...request, headers };
  }
  for (const name of bodyHeaders) headers.delete(name);
  return { ...request, headers, method: "GET", body: null };
}

/** A resolver for sockets that fails when any address of the name is not public. */
function publicLookup(lookupAll: LookupAll): LookupFunction {
  return (hostname, options, callback) => {
    lookupAll(hostname).then(
      (addresses) => {
        const bad = addresses.find(({ address }) => !isPublicAddress(address));
        const first = addresses[0];
        if (bad !== undefined) callback(refusedAddress(hostname, bad.address), "");
        else if (first === undefined) callback(new Error(`${hostname} has no address`), "");
        else if (options.all) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), ""),
    );
  };
}
