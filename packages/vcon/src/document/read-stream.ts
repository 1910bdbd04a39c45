import type { VconError } from "./errors.ts";

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

export interface ReadStreamOptions {
  readonly maxBytes: number;
  readonly tooMuch: () => VconError;
  readonly broken: (cause: unknown) => VconError;
}

/** All bytes of a stream. Stops at `maxBytes`: what comes from elsewhere can be without end. */
export async function readStream(
  reader: Reader,
  { maxBytes, tooMuch, broken }: ReadStreamOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let size = 0; ; ) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw broken(cause);
    });
    if (done || value === undefined) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    size += value.length;
    if (size > maxBytes) {
      await reader.cancel();
      throw tooMuch();
    }
    chunks.push(new Uint8Array(value));
  }
}
