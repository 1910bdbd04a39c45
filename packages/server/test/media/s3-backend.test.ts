import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openMedia } from "../../src/media/open-media.ts";
import { log } from "../processors/silent-log.ts";
import { rejected } from "../processors/thrown.ts";
import { keys, startS3 } from "./s3-double.ts";

const s3 = await startS3();
afterEach(() => {
  s3.double.reset();
  s3.objects.clear();
});

function store(env: Readonly<Record<string, string>> = {}) {
  return openMedia(readConfig({ ...s3.env, ...env }), log);
}

const wav = { bytes: randomBytes(5000), mediatype: "audio/x-wav" };
const nameOf = (url: string) => url.slice("https://calls.example/media/".length);

describe("a bucket", () => {
  it("keeps content under its hash, with its media type", async () => {
    const { url, contentHash } = await store().put(wav);
    const name = nameOf(url);
    expect(contentHash).toBe(`sha512-${name}`);
    expect([...s3.objects]).toEqual([
      [`/media/calls/${name}`, { bytes: wav.bytes, mediatype: "audio/x-wav" }],
    ]);
    expect(await store().get(url)).toEqual(new Uint8Array(wav.bytes));
  });

  it("is not sent the same content twice", async () => {
    const first = await store().put(wav);
    expect(s3.methods()).toEqual(["HEAD", "PUT"]);
    expect(await store().put({ ...wav, mediatype: "audio/ogg" })).toEqual(first);
    expect(s3.methods()).toEqual(["HEAD", "PUT", "HEAD"]);
  });

  it("is sent content again of which it has less than all", async () => {
    const { url } = await store().put(wav);
    const path = `/media/calls/${nameOf(url)}`;
    s3.objects.set(path, { bytes: wav.bytes.subarray(1), mediatype: "audio/x-wav" });
    await store().put(wav);
    expect(s3.objects.get(path)?.bytes).toEqual(wav.bytes);
  });

  it("gives content in whole or in part", async () => {
    const { url } = await store().put(wav);
    const found = await store().open(nameOf(url));
    expect(found).toMatchObject({ size: 5000, mediatype: "audio/x-wav" });
    expect(await found?.stream().then(buffer)).toEqual(wav.bytes);
    expect(await found?.stream({ start: 10, end: 19 }).then(buffer)).toEqual(wav.bytes.subarray(10, 20));
  });

  it("says nothing of what it does not have", async () => {
    const name = "A".repeat(86);
    expect(await store().get(`https://calls.example/media/${name}`)).toBeUndefined();
    expect(await store().open(name)).toBeUndefined();
  });

  it("has a prefix of any characters, or none", async () => {
    for (const place of ["s3://media", "s3://media/a b/ü+&=(1)/", "s3://media/per%20cent"]) {
      const { url } = await store({ MEDIA_STORE: place }).put(wav);
      expect(await store({ MEDIA_STORE: place }).get(url)).toEqual(new Uint8Array(wav.bytes));
    }
    expect(s3.objects.size).toBe(3);
  });
});

describe("when something is wrong", () => {
  it("with the key, it says so at once, and shows no key", async () => {
    const error = await rejected(store({ MEDIA_S3_SECRET_ACCESS_KEY: "another" }).put(wav));
    expect(error.code).toBe("provider_failed");
    expect(error.message).toMatch(/^media store s3:\/\/media: HEAD answered 403.*check the keys/);
    expect(s3.methods()).toEqual(["HEAD"]);
    const reading = store({ MEDIA_S3_SECRET_ACCESS_KEY: "another" });
    const other = await rejected(reading.get(`https://calls.example/media/${"A".repeat(86)}`));
    expect(other.message).toContain("GET answered 403 SignatureDoesNotMatch: The request signature");
    expect(error.message + other.message).not.toMatch(new RegExp(`another|${keys.accessKeyId}`));
  });

  it.each([
    { region: "us-east-1", code: 403 },
    { region: "eu-west-1", code: 403 },
  ])("a signature for region $region is no other region's", async (wrong) => {
    const error = await rejected(store({ MEDIA_S3_REGION: wrong.region }).put(wav));
    expect(error.message).toContain(`answered ${wrong.code}`);
  });

  it("with the service for a moment, it tries again", async () => {
    s3.double.troubles({ status: 500 }, { status: 503 }, "none", { status: 500 }, { status: 429 });
    const { url } = await store().put(wav);
    expect(s3.methods()).toEqual(["HEAD", "HEAD", "HEAD", "PUT", "PUT", "PUT"]);
    s3.double.troubles("truncated", { status: 500 });
    expect(await store().get(url)).toEqual(new Uint8Array(wav.bytes));
  });

  it("with the service for longer, it gives up", async () => {
    s3.double.troubles({ status: 500 }, { status: 500 }, { status: 500 });
    const error = await rejected(store().put(wav));
    expect([error.code, error.message]).toEqual([
      "provider_failed",
      "media store s3://media: HEAD answered 500",
    ]);
  });

  it("with the answer, which breaks off, it is an error and not less content", async () => {
    const { url } = await store().put(wav);
    s3.double.reset();
    s3.double.troubles("truncated", "truncated", "truncated");
    const error = await rejected(store().get(url));
    expect(error.code).toBe("provider_failed");
    expect(error.message).toMatch(/^media store s3:\/\/media: GET failed: /);
    expect(s3.methods()).toEqual(["GET", "GET", "GET"]);
  });

  it("with the answer to a part, it is an error", async () => {
    const { url } = await store().put(wav);
    const found = await store().open(nameOf(url));
    const whole = { status: 200, body: wav.bytes };
    s3.double.troubles(whole, whole, whole);
    const error = await rejected(found?.stream({ start: 0, end: 1 }) ?? Promise.resolve());
    expect(error.message).toContain("answered 200 where 206 was due");
  });

  it("with what is kept, it is an error", async () => {
    const { url } = await store().put(wav);
    const path = `/media/calls/${nameOf(url)}`;
    s3.objects.set(path, { bytes: Buffer.alloc(5000), mediatype: "audio/x-wav" });
    const error = await rejected(store().get(url));
    expect([error.code, error.message]).toEqual(["provider_failed", expect.stringContaining("damaged")]);
  });

  it("with the time it takes, it gives up", async () => {
    s3.double.troubles("hang", "hang", "hang");
    const error = await rejected(store({ PROVIDER_TIMEOUT_SECONDS: "0.05" }).put(wav));
    expect(error.message).toBe("media store s3://media: HEAD failed: no answer within 0.05 s");
  });

  it("with the bucket, it names it", async () => {
    const missing = store({ MEDIA_STORE: "s3://elsewhere" });
    const reading = () => missing.get(`https://calls.example/media/${"A".repeat(86)}`);
    for (const act of [() => missing.put(wav), reading]) {
      expect((await rejected(act())).message).toContain("answered 404 NoSuchBucket: No such bucket.");
    }
  });

  it("with the region, which has moved, it follows nobody", async () => {
    s3.double.troubles({ status: 301, headers: { location: s3.double.url } });
    const error = await rejected(store().put(wav));
    expect(error.message).toContain("answered 301; check MEDIA_S3_REGION");
    expect(s3.methods()).toEqual(["HEAD"]);
  });
});
