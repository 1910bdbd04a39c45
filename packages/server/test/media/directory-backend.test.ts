import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { contentHash } from "@vconductor/vcon";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rejected } from "../processors/thrown.ts";
import { mediaDirectory, mediaUrl } from "./directory.ts";

const wav = (length = 5000) => ({ bytes: randomBytes(length), mediatype: "audio/x-wav" });
const nameOf = (url: string) => url.slice(mediaUrl.length + 1);
const pathOf = (name: string) => join(name.slice(0, 2), name.slice(2, 4), name);

describe("a directory", () => {
  it("keeps content under its hash, as the vCon writes hashes", async () => {
    const { store, directory, files } = await mediaDirectory();
    const content = wav();
    const { url, contentHash: hash } = await store.put(content);
    expect(hash).toBe(await contentHash(content.bytes));
    expect(url).toBe(`${mediaUrl}/${hash.slice("sha512-".length)}`);
    const path = pathOf(nameOf(url));
    expect(await files()).toEqual([path, `${path}.type`]);
    expect(await readFile(join(directory, path))).toEqual(content.bytes);
    expect(await readFile(join(directory, `${path}.type`), "utf8")).toBe("audio/x-wav");
  });

  it("gives any bytes back", async () => {
    const { store } = await mediaDirectory();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (bytes) => {
        const { url } = await store.put({ bytes, mediatype: "video/x-mp4" });
        expect(Buffer.from((await store.get(url)) ?? [])).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 30 },
    );
  });

  it("gives parts", async () => {
    const { store } = await mediaDirectory();
    const content = wav();
    const found = await store.open(nameOf((await store.put(content)).url));
    expect(found).toMatchObject({ size: 5000, mediatype: "audio/x-wav" });
    expect(await found?.stream({ start: 4990, end: 4999 }).then(buffer)).toEqual(
      content.bytes.subarray(4990),
    );
    expect(await found?.stream().then(buffer)).toEqual(content.bytes);
  });

  it("keeps the same content once, also when it comes many times at once", async () => {
    const { store, files } = await mediaDirectory();
    const content = wav(200_000);
    const places = await Promise.all(Array.from({ length: 20 }, () => store.put(content)));
    expect(new Set(places.map(({ url }) => url)).size).toBe(1);
    const path = pathOf(nameOf(places[0]?.url ?? ""));
    expect(await files()).toEqual([path, `${path}.type`]);
    expect(await store.get(places[0]?.url ?? "")).toEqual(content.bytes);
    await store.put({ ...content, mediatype: "audio/ogg" });
    expect(await store.open(nameOf(places[0]?.url ?? ""))).toMatchObject({ mediatype: "audio/x-wav" });
  });
});

describe("what a crash or a disk left behind", () => {
  it("half a file is never seen, and is in nobody's way", async () => {
    const { store, directory } = await mediaDirectory();
    const content = wav();
    const name = (await contentHash(content.bytes)).slice("sha512-".length);
    const draft = `${pathOf(name)}.0b7e6a52-5f0c-4d3b-9d3c-0f2f6f0b8a11.draft`;
    await mkdir(dirname(join(directory, draft)), { recursive: true });
    await writeFile(join(directory, draft), content.bytes.subarray(0, 100));
    await writeFile(join(directory, `${pathOf(name)}.type`), "audio/x-wav");
    for (const asked of [name, `${name}.type`, draft.slice("xx/xx/".length)]) {
      expect(await store.open(asked)).toBeUndefined();
      expect(await store.get(`${mediaUrl}/${asked}`)).toBeUndefined();
    }
    const { url } = await store.put(content);
    expect(await store.get(url)).toEqual(content.bytes);
  });

  it("damaged content is not given out as what it was, and is mended by the next that brings it", async () => {
    const { store, directory } = await mediaDirectory();
    const content = wav();
    const { url } = await store.put(content);
    const path = join(directory, pathOf(nameOf(url)));
    for (const damage of [() => writeFile(path, Buffer.alloc(5000)), () => truncate(path, 4999)]) {
      await damage();
      const error = await rejected(store.get(url));
      expect([error.code, error.message]).toEqual(["provider_failed", expect.stringContaining("damaged")]);
      await store.put(content);
      expect(await store.get(url)).toEqual(content.bytes);
    }
  });

  it("a write that fails leaves nothing half done", async () => {
    const { store, directory, files } = await mediaDirectory();
    const content = wav();
    const path = pathOf((await contentHash(content.bytes)).slice("sha512-".length));
    await mkdir(join(directory, path), { recursive: true });
    await expect(store.put(content)).rejects.toThrow();
    expect(await files()).toEqual([`${path}.type`]);
    await rm(join(directory, path), { recursive: true });
    await store.put(content);
    expect(await files()).toEqual([path, `${path}.type`]);
  });
});

describe("names and types", () => {
  it("of others are none of its business", async () => {
    const { store, directory } = await mediaDirectory();
    const { url } = await store.put(wav());
    const name = nameOf(url);
    await writeFile(join(directory, "secret"), "hush");
    const others = [
      `https://other.example/media/${name}`,
      `${mediaUrl}${name}`,
      `${mediaUrl}/x/../${name}`,
      `${mediaUrl}/../../../secret`,
      `${mediaUrl}/${name}?x`,
      `${mediaUrl}/${name}/`,
      `${mediaUrl}/${name}\n`,
      `${mediaUrl}/sha512-${name}`,
      `${mediaUrl}/${"..".padEnd(86, "/")}`,
      `${mediaUrl}/`,
      "",
    ];
    for (const other of others) expect(await store.get(other)).toBeUndefined();
    for (const other of ["../../secret", `${name}\0`, ""]) expect(await store.open(other)).toBeUndefined();
  });

  it.each([
    "audio/x-wav",
    "multipart/mixed; boundary=abc",
    'audio/ogg;codecs="opus, vorbis"'.replace(", ", " "),
  ])("%s is a media type", async (mediatype) => {
    const { store } = await mediaDirectory();
    const { url } = await store.put({ ...wav(), mediatype });
    expect(await store.open(nameOf(url))).toMatchObject({ mediatype });
  });

  it.each(["", "audio", "audio/", "text/html\r\nset-cookie: a=b", "ü/ü", `text/${"x".repeat(300)}`])(
    "%j is none",
    async (mediatype) => {
      const { store, directory } = await mediaDirectory();
      const { url } = await store.put({ ...wav(), mediatype });
      expect(await store.open(nameOf(url))).toMatchObject({ mediatype: "application/octet-stream" });
      // Others can write to the directory as well.
      await writeFile(join(directory, `${pathOf(nameOf(url))}.type`), mediatype);
      expect(await store.open(nameOf(url))).toMatchObject({ mediatype: "application/octet-stream" });
    },
  );

  it("content whose type was lost is bytes", async () => {
    const { store, directory } = await mediaDirectory();
    const { url } = await store.put(wav());
    await rm(join(directory, `${pathOf(nameOf(url))}.type`));
    expect(await store.open(nameOf(url))).toMatchObject({ mediatype: "application/octet-stream" });
  });
});
