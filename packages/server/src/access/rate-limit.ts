import { isIPv6 } from "node:net";

export interface RateLimitOptions {
  /** How many in a window. 0: no limit */
  readonly limit: number;
  /** Milliseconds. Default: a minute */
  readonly windowMs?: number;
  /** Milliseconds since 1970. Default: `Date.now` */
  readonly now?: () => number;
  /** How many keys are kept in mind; beyond that, the oldest is forgotten. Default: 100 000 */
  readonly mostKeys?: number;
}

export interface Allowance {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Whole seconds until the window ends, at least 1. */
  readonly resetSeconds: number;
}

interface Window {
  used: number;
  readonly ends: number;
}

/** Counts per key in windows of fixed length, in this process. */
export class RateLimit {
  readonly #options: Required<RateLimitOptions>;
  readonly #windows = new Map<string, Window>();

  constructor({ limit, windowMs = 60_000, now = Date.now, mostKeys = 100_000 }: RateLimitOptions) {
    this.#options = { limit, windowMs, now, mostKeys };
  }

  /** Counts one for the key, and tells whether that was still within the limit. */
  take(key: string): Allowance {
    const { limit, now } = this.#options;
    const window = this.#window(key);
    window.used += 1;
    return {
      allowed: limit === 0 || window.used <= limit,
      limit,
      remaining: Math.max(0, limit - window.used),
      resetSeconds: Math.max(1, Math.ceil((window.ends - now()) / 1000)),
    };
  }

  #window(key: string): Window {
    const { windowMs, now, mostKeys } = this.#options;
    const known = this.#windows.get(key);
    if (known !== undefined && known.ends > now()) return known;
    // Put last: those before it are older.
    this.#windows.delete(key);
    const [oldest] = this.#windows.keys();
    if (oldest !== undefined && this.#windows.size >= mostKeys) this.#windows.delete(oldest);
    const made = { used: 0, ends: now() + windowMs };
    this.#windows.set(key, made);
    return made;
  }
}

/** One key for one client: whoever has one IPv6 address has all of its /64. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
