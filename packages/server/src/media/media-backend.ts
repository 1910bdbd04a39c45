import type { Readable } from "node:stream";

/** A part of some content: first and last byte, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface StoredMedia {
  /** Bytes. */
  readonly size: number;
  readonly mediatype: string;
  /** The bytes, or a part of them. To be read or destroyed. */
  stream(range?: ByteRange): Promise<Readable>;
}

/**
 * Where content lies, by names of letters, digits, `-` and `_` that are never used for anything else: hashes of it, or UUIDs.
 * What is written once is never changed.
 */
export interface MediaBackend {
  /**
   * It is on disk, or acknowledged by the service, when this answers; before that nobody sees it. What is there already,
   * whole, is not written again and keeps its media type.
   */
  write(name: string, content: MediaContent): Promise<void>;
  /** All of it; undefined when there is nothing of that name. Whether the bytes fit the name is for the caller to check. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Undefined when there is nothing of that name. */
  open(name: string): Promise<StoredMedia | undefined>;
  /** Nothing of that name is there afterwards. */
  delete(name: string): Promise<void>;
}

export interface MediaContent {
  readonly bytes: Uint8Array;
  readonly mediatype: string;
}
