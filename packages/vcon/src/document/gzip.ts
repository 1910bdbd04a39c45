import { VconError } from "./errors.ts";
import { readStream } from "./read-stream.ts";

/** gzip's first two bytes. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * @param maxBytes how much may come out; a small file can claim to be huge
 * @throws VconError not_json the bytes are damaged, or more comes out than allowed
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  return readStream(reader, {
    maxBytes,
    tooMuch: () => new VconError("not_json", `The gzip data holds more than ${maxBytes} bytes.`),
    broken: (cause) => new VconError("not_json", "The gzip data is damaged or cut off.", { cause }),
  });
}
