import { createHash } from "node:crypto";
import { VconductorError } from "../errors.ts";
import type { MediaStore } from "../processors/define.ts";
import type { MediaBackend, MediaContent, StoredMedia } from "./media-backend.ts";

/** SHA-512 in base64url. */
const namePattern = /^[A-Za-z0-9_-]{86}$/;
const token = "[\\w!#$&^.+-]+";
const mediatypePattern = new RegExp(
  `^${token}/${token}(?:\\s*;\\s*${token}=(?:${token}|"[\\w .:/?=+-]*"))*$`,
);
const usualType = "application/octet-stream";

/** Keeps content under its hash, and gives it addresses that the server answers (`GET /media/{name}`). */
export class ContentStore implements MediaStore {
  readonly #backend: MediaBackend;
  readonly #url: string;

  /** @param options.url of the server's route, without a slash at its end */
  constructor(options: { readonly backend: MediaBackend; readonly url: string }) {
    this.#backend = options.backend;
    this.#url = options.url;
  }

  /** A media type that is none is kept as application/octet-stream. @throws provider_failed the service failed */
  async put({ bytes, mediatype }: MediaContent) {
    const name = nameOf(bytes);
    await this.#backend.write(name, { bytes, mediatype: checkedType(mediatype) });
    return { url: `${this.#url}/${name}`, contentHash: `sha512-${name}` };
  }

  /** The name in a `url` that `put` gave; undefined for other addresses. */
  nameIn(url: string): string | undefined {
    const name = url.startsWith(`${this.#url}/`) ? url.slice(this.#url.length + 1) : "";
    return namePattern.test(name) ? name : undefined;
  }

  /** @throws provider_failed the service failed, or what is there has another hash than it had when it was put */
  async get(url: string): Promise<Uint8Array | undefined> {
    const name = this.nameIn(url);
    const bytes = name === undefined ? undefined : await this.#backend.read(name);
    if (bytes === undefined || nameOf(bytes) === name) return bytes;
    const text = `media store: what is kept as ${url} has another hash: it is damaged, restore it from a backup`;
    throw new VconductorError("provider_failed", text);
  }

  /** What is kept under a name, its bytes not checked; undefined for names that are none of this store's. */
  async open(name: string): Promise<StoredMedia | undefined> {
    const found = namePattern.test(name) ? await this.#backend.open(name) : undefined;
    // Others may have written to the directory or the bucket, and the type becomes a header.
    return found === undefined ? undefined : { ...found, mediatype: checkedType(found.mediatype) };
  }
}

function checkedType(mediatype: string): string {
  return mediatype.length <= 255 && mediatypePattern.test(mediatype) ? mediatype : usualType;
}

function nameOf(bytes: Uint8Array): string {
  return createHash("sha512").update(bytes).digest("base64url");
}
