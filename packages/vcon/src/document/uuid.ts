/** Domains whose hash is kept; a program has one or two. */
const MAX_DOMAINS = 100;
const nodes = new Map<string, string>();
let last = { time: -1, sequence: 0 };

/**
 * A new vCon uuid: UUIDv8 with a 48-bit time in milliseconds, 12 random bits and the high 62 bits of the SHA-1 of the
 * domain. Within one process no two calls give the same one. It is asynchronous, and in a browser needs a secure
 * context, because the hash comes from WebCrypto.
 *
 * @param domain fully qualified name of the host or organisation, for example "support.example.com"
 * @param now milliseconds since 1970. Default: the clock. When given, the result depends on the arguments alone
 * @param random a number from 0 up to, not including, 1. Default: from the system's random source
 */
export async function newUuid({
  domain,
  now,
  random = systemRandom,
}: {
  readonly domain: string;
  readonly now?: number;
  readonly random?: () => number;
}): Promise<string> {
  const node = nodes.get(domain) ?? (await nodeOf(domain));
  const stamp =
    now === undefined
      ? nextStamp(random)
      : { time: Math.trunc(now), sequence: Math.trunc(random() * 0x1000) };
  const time = stamp.time.toString(16).padStart(12, "0").slice(-12);
  const sequence = stamp.sequence.toString(16).padStart(3, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-8${sequence}-${node}`;
}

/** Twelve random bits alone would repeat within a busy millisecond, so they count on from their random start. */
function nextStamp(random: () => number): { readonly time: number; readonly sequence: number } {
  const time = Date.now();
  if (time > last.time) last = { time, sequence: Math.trunc(random() * 0x1000) };
  else if (last.sequence < 0xfff) last = { time: last.time, sequence: last.sequence + 1 };
  else last = { time: last.time + 1, sequence: 0 };
  return last;
}

/** The last two groups: two bits of variant, then the high 62 bits of the hash. */
async function nodeOf(domain: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(domain));
  const high = new DataView(hash).getBigUint64(0) >> 2n;
  const hex = ((0b10n << 62n) | high).toString(16);
  const node = `${hex.slice(0, 4)}-${hex.slice(4)}`;
  if (nodes.size >= MAX_DOMAINS) nodes.clear();
  nodes.set(domain, node);
  return node;
}

function systemRandom(): number {
  const [value = 0] = crypto.getRandomValues(new Uint16Array(1));
  return value / 0x1_0000;
}
