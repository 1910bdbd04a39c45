import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import {
  Agent,
  type Dispatcher,
  Headers,
  type RequestInit,
  type Response,
  fetch as undiciFetch,
} from "undici";
import { VconductorError } from "../errors.ts";
import type { Service } from "../service.ts";
import { isPublicAddress } from "./fetch-addresses.ts";
import { limitBody } from "./fetch-body.ts";

export interface FetchGuardOptions {
  /** Hosts (`host` or `host:port`) that may be reached wherever they are: the setting FETCH_ALLOW. */
  readonly allow?: readonly string[];
  /** Longest time for one fetch, redirects and body included, in milliseconds. Default: 60 000. */
  readonly timeoutMs?: number;
  /** Largest body, in bytes. Default: 256 MiB. */
  readonly maxBytes?: number;
  /** Resolves host names. Default: the system's resolver. */
  readonly lookup?: LookupAll;
}

/** All addresses of a host name. */
export type LookupAll = (hostname: string) => Promise<readonly LookupAddress[]>;

/** As the standard `fetch`, but guarded. `response.url` is empty. */
export type GuardedFetch = (url: string | URL, init?: GuardedInit) => Promise<Response>;

export interface GuardedInit extends RequestInit {
  /** Longest time for this fetch, redirects and body included, in milliseconds. Default: the guard's. */
  readonly timeoutMs?: number;
  /** Largest body of the answer, in bytes. Default: the guard's. */
  readonly maxBytes?: number;
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

/**
 * The way out for processors: plain `fetch` for http and https, except that it reaches public addresses
 * only (what a name resolves to is checked, and the checked address is the one connected to), on every
 * redirect anew, within limits of time and size.
 */
export class FetchGuard implements Service {
  readonly #allow: ReadonlySet<string>;
  readonly #timeoutMs: number;
  readonly #maxBytes: number;
  readonly #lookup: LookupAll;
  readonly #open: Agent;
  readonly #guarded: Agent;

  constructor(options: FetchGuardOptions = {}) {
    this.#allow = new Set((options.allow ?? []).map((entry) => entry.trim().toLowerCase()));
    this.#timeoutMs = options.timeoutMs ?? 60_000;
    this.#maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
    this.#lookup = options.lookup ?? systemLookup;
    // Waiting is limited by `timeoutMs` alone: providers may think for long before they answer.
    const patient = { headersTimeout: 0, bodyTimeout: 0 };
    this.#open = new Agent(patient);
    this.#guarded = new Agent({ ...patient, connect: { lookup: publicLookup(this.#lookup) } });
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await Promise.all([this.#open.destroy(), this.#guarded.destroy()]);
  }

  /**
   * @throws fetch_refused the address, the scheme or the size is not allowed
   * @throws provider_failed no answer: network failure, too many redirects, time is up
   */
  readonly fetch: GuardedFetch = async (input, init = {}) => {
    let url = parseUrl(input);
    const { timeoutMs = this.#timeoutMs, maxBytes = this.#maxBytes, ...given } = init;
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

  /**
   * An address of `host` to connect to with another protocol than HTTP.
   *
   * @throws fetch_refused
   */
  async address(host: string, port: number): Promise<string> {
    const open = this.#allow.has(host.toLowerCase()) || this.#allow.has(`${host.toLowerCase()}:${port}`);
    const addresses = isIP(host) === 0 ? await this.#resolve(host) : [host];
    const bad = open ? undefined : addresses.find((address) => !isPublicAddress(address));
    if (bad !== undefined) throw refused(`${host}:${port}`, bad);
    const [first] = addresses;
    if (first === undefined) throw new VconductorError("provider_failed", `${host} has no address`);
    return first;
  }

  async #resolve(host: string): Promise<readonly string[]> {
    try {
      return (await this.#lookup(host)).map(({ address }) => address);
    } catch (cause) {
      throw new VconductorError("provider_failed", `${host} was not found: ${rootMessage(cause)}`, { cause });
    }
  }

  async #once(url: URL, request: RequestInit, timeoutMs: number): Promise<Response> {
    const open = this.#allow.has(url.host) || this.#allow.has(url.hostname) || this.#allow.has(hostPort(url));
    const literal = url.hostname.replace(/^\[|\]$/g, "");
    // No name to resolve, so the resolver never sees it.
    if (!open && isIP(literal) !== 0 && !isPublicAddress(literal)) throw refused(url.host, literal);
    const dispatcher: Dispatcher = open ? this.#open : this.#guarded;
    try {
      return await undiciFetch(url, { ...request, dispatcher });
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

function refused(host: string, address: string): VconductorError {
  const text = `fetch of ${host} refused: ${address} is not a public address; to allow it, name the host in FETCH_ALLOW`;
  return new VconductorError("fetch_refused", text);
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

const systemLookup: LookupAll = (hostname) =>
  new Promise((resolve, reject) => {
    dnsLookup(hostname, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

/** A resolver for sockets that fails when any address of the name is not public. */
function publicLookup(lookupAll: LookupAll): LookupFunction {
  return (hostname, options, callback) => {
    lookupAll(hostname).then(
      (addresses) => {
        const bad = addresses.find(({ address }) => !isPublicAddress(address));
        const first = addresses[0];
        if (bad !== undefined) callback(refused(hostname, bad.address), "");
        else if (first === undefined) callback(new Error(`${hostname} has no address`), "");
        else if (options.all) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), ""),
    );
  };
}

function rootMessage(error: unknown): string {
  let message = String(error);
  for (let at = error; at instanceof Error; at = at.cause) message = at.message;
  return message;
}
