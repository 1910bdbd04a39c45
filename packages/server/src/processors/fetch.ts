import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { RequestInit, Response } from "undici";
import { VconductorError } from "../errors.ts";
import type { Service } from "../service.ts";
import { isPublicAddress, refusedAddress } from "./fetch-addresses.ts";
import type { GuardedHttp, GuardedHttpOptions } from "./guarded-http.ts";
import { rootMessage } from "./root-message.ts";

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

/**
 * The way out for processors: plain `fetch` for http and https, except that it reaches public addresses
 * only (what a name resolves to is checked, and the checked address is the one connected to), on every
 * redirect anew, within limits of time and size.
 */
export class FetchGuard implements Service {
  readonly #options: GuardedHttpOptions;
  #http: Promise<GuardedHttp> | undefined;

  constructor({
    allow = [],
    timeoutMs = 60_000,
    maxBytes = 256 * 1024 * 1024,
    lookup = systemLookup,
  }: FetchGuardOptions = {}) {
    const names = new Set(allow.map((entry) => entry.trim().toLowerCase()));
    this.#options = { allow: names, timeoutMs, maxBytes, lookup };
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await (await this.#http)?.stop();
  }

  /**
   * @throws fetch_refused the address, the scheme or the size is not allowed
   * @throws provider_failed no answer: network failure, too many redirects, time is up
   */
  readonly fetch: GuardedFetch = async (input, init) => {
    this.#http ??= import("./guarded-http.ts").then(({ GuardedHttp }) => new GuardedHttp(this.#options));
    return await (await this.#http).fetch(input, init);
  };

  /**
   * An address of `host` to connect to with another protocol than HTTP.
   *
   * @throws fetch_refused
   */
  async address(host: string, port: number): Promise<string> {
    const { allow } = this.#options;
    const open = allow.has(host.toLowerCase()) || allow.has(`${host.toLowerCase()}:${port}`);
    const addresses = isIP(host) === 0 ? await this.#resolve(host) : [host];
    const bad = open ? undefined : addresses.find((address) => !isPublicAddress(address));
    if (bad !== undefined) throw refusedAddress(`${host}:${port}`, bad);
    const [first] = addresses;
    if (first === undefined) throw new VconductorError("provider_failed", `${host} has no address`);
    return first;
  }

  async #resolve(host: string): Promise<readonly string[]> {
    try {
      return (await this.#options.lookup(host)).map(({ address }) => address);
    } catch (cause) {
      throw new VconductorError("provider_failed", `${host} was not found: ${rootMessage(cause)}`, { cause });
    }
  }
}

const systemLookup: LookupAll = (hostname) =>
  new Promise((resolve, reject) => {
    dnsLookup(hostname, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });
