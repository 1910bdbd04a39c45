import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Response } from "undici";
import type { MediaBackend } from "./media-backend.ts";
import { S3Bucket, type S3Options } from "./s3-bucket.ts";

/** Content in a bucket of Amazon S3, or of a service with its API. */
export function s3Backend(options: S3Options): MediaBackend {
  const bucket = new S3Bucket(options);
  const head = (name: string) =>
    bucket.send({ method: "HEAD", name }, async ({ headers }) => ({
      size: Number(headers.get("content-length") ?? Number.NaN),
      mediatype: headers.get("content-type") ?? "",
    }));

  return {
    async write(name, { bytes, mediatype }) {
      if ((await head(name))?.size === bytes.length) return;
      // The service refuses what does not arrive with this hash.
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const headers = { "content-type": mediatype };
      await bucket.send({ method: "PUT", name, headers, body: { bytes, sha256 } }, discard);
    },

    read: (name) => bucket.send({ method: "GET", name }, whole),

    async open(name) {
      const found = await head(name);
      if (found === undefined) return undefined;
      return {
        ...found,
        async stream(range) {
          const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.end}` };
          const stream = await bucket.send({ method: "GET", name, headers }, async (response) => {
            const expected = range === undefined ? 200 : 206;
            if (response.status === expected) return streamOf(response);
            await response.body?.cancel();
            throw new Error(`answered ${response.status} where ${expected} was due`);
          });
          return stream ?? Readable.from([]);
        },
      };
    },

    async delete(name) {
      await bucket.send({ method: "DELETE", name }, discard);
    },
  };
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel();
}

async function whole(response: Response): Promise<Uint8Array> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const announced = response.headers.get("content-length");
  if (announced === null || Number(announced) === bytes.length) return bytes;
  throw new Error(`${bytes.length} bytes came where ${announced} were announced`);
}

function streamOf({ body }: Response): Readable {
  return body === null ? Readable.from([]) : Readable.fromWeb(body);
}
