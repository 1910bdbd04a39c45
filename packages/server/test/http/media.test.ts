import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openMedia } from "../../src/media/open-media.ts";
import { mediaDirectory, mediaUrl } from "../media/directory.ts";
import { startS3 } from "../media/s3-double.ts";
import { log } from "../processors/silent-log.ts";
import { startApi, type TestApi } from "./start-api.ts";

const kept = await mediaDirectory();
const s3 = await startS3();
const bytes = randomBytes(1000);

let api: TestApi;
let cloud: TestApi;
beforeAll(async () => {
  api = await startApi({ env: kept.env });
  cloud = await startApi({ env: s3.env });
});
afterAll(async () => {
  await api.stop();
  await cloud.stop();
});
afterEach(() => s3.double.reset());

/** Puts content into the store. @returns its path on the server */
async function put(mediatype: string, content: Uint8Array = bytes, store = kept.store): Promise<string> {
  const { url } = await store.put({ bytes: content, mediatype });
  return url.slice(mediaUrl.length - "/media".length);
}

async function get(path: string, headers: Readonly<Record<string, string>> = {}, server = api) {
  const answer = await fetch(`${server.url}${path}`, {
    headers: { "accept-encoding": "identity", ...headers },
  });
  const of = (name: string) => answer.headers.get(name);
  return { status: answer.status, of, body: Buffer.from(await answer.arrayBuffer()) };
}

describe("GET /media/{name}", () => {
  it("gives the bytes, to be kept for ever, but not by proxies", async () => {
    const path = await put("audio/x-wav");
    const answer = await get(path);
    expect([answer.status, answer.body]).toEqual([200, bytes]);
    expect(
      Object.fromEntries(["content-type", "content-length", "accept-ranges"].map((h) => [h, answer.of(h)])),
    ).toEqual({ "content-type": "audio/x-wav", "content-length": "1000", "accept-ranges": "bytes" });
    expect(answer.of("cache-control")).toMatch(/^private, max-age=\d+, immutable$/);
    expect(answer.of("etag")).toBe(`"${path.slice("/media/".length)}"`);
    expect(answer.of("content-disposition")).toBe("inline");
  });

  it("does not send what the caller has", async () => {
    const path = await put("audio/x-wav");
    const etag = (await get(path)).of("etag") ?? "";
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const answer = await get(path, { "if-none-match": known });
      expect([known, answer.status, answer.body.length]).toEqual([known, 304, 0]);
    }
    expect((await get(path, { "if-none-match": '"x"' })).status).toBe(200);
  });

  it("lets no content run in the server's name", async () => {
    const html = Buffer.from("<script>alert(1)</script>");
    for (const type of ["text/html", "image/svg+xml", "application/xhtml+xml", "application/pdf"]) {
      const answer = await get(await put(type, Buffer.concat([html, Buffer.from(type)])));
      expect([answer.status, answer.of("content-type")]).toEqual([200, type]);
      expect(answer.of("content-disposition")).toBe("attachment");
      expect(answer.of("x-content-type-options")).toBe("nosniff");
      expect(answer.of("content-security-policy")).toMatch(/^sandbox; default-src 'none'$/);
    }
  });

  it.each([
    ["bytes=0-9", 0, 9],
    ["bytes=990-", 990, 999],
    ["bytes=990-5000", 990, 999],
    ["bytes=-10", 990, 999],
    ["bytes=-5000", 0, 999],
    ["bytes=999-999", 999, 999],
  ])("gives the part %s", async (range, first, last) => {
    const answer = await get(await put("audio/x-wav"), { range });
    expect([answer.status, answer.of("content-range")]).toEqual([206, `bytes ${first}-${last}/1000`]);
    expect(answer.of("content-length")).toBe(String(last - first + 1));
    expect(answer.body).toEqual(bytes.subarray(first, last + 1));
  });

  it.each(["bytes=0-1,5-6", "bytes=9-5", "bytes=-", "bytes=a-b", "lines=0-1"])(
    "takes %s for no range",
    async (range) => {
      const answer = await get(await put("audio/x-wav"), { range });
      expect([answer.status, answer.body]).toEqual([200, bytes]);
    },
  );

  it.each(["bytes=1000-", "bytes=5000-6000", "bytes=-0"])("has no part %s", async (range) => {
    const answer = await get(await put("audio/x-wav"), { range });
    expect([answer.status, answer.of("content-range")]).toEqual([416, "bytes */1000"]);
    expect(answer.of("content-type")).toBe("application/json");
    expect(answer.of("cache-control")).toBeNull();
  });

  it("gives a part only to those who hold the rest of it", async () => {
    const path = await put("audio/x-wav");
    const etag = (await get(path)).of("etag") ?? "";
    expect((await get(path, { range: "bytes=0-1", "if-range": etag })).status).toBe(206);
    expect((await get(path, { range: "bytes=0-1", "if-range": '"x"' })).status).toBe(200);
  });

  it("gives nothing, when that is what there is", async () => {
    const answer = await get(await put("audio/x-wav", new Uint8Array()));
    expect([answer.status, answer.body.length, answer.of("content-length")]).toEqual([200, 0, "0"]);
  });

  it.each([
    `/media/${"A".repeat(86)}`,
    "/media/x",
    `/media/${"A".repeat(86)}.type`,
    "/media/..%2f..%2f..%2fetc%2fpasswd",
    "/media/%00",
    `/media/${encodeURIComponent("..".padEnd(86, "/"))}`,
  ])("%s is not found", async (path) => {
    // Not with fetch, which would tidy the path.
    const status = await new Promise((done, failed) => {
      request(`${api.url}${path}`, { path }, (answer) => done(answer.resume().statusCode))
        .on("error", failed)
        .end();
    });
    expect([path, status]).toEqual([path, 404]);
  });
});

describe("with a bucket behind it", () => {
  const store = openMedia(readConfig(s3.env), log);

  it("passes content and parts on", async () => {
    const path = await put("video/x-mp4", bytes, store);
    const whole = await get(path, {}, cloud);
    expect([whole.status, whole.of("content-type"), whole.body]).toEqual([200, "video/x-mp4", bytes]);
    const part = await get(path, { range: "bytes=5-6" }, cloud);
    expect([part.status, part.body]).toEqual([206, bytes.subarray(5, 7)]);
    expect((await get(`/media/${"A".repeat(86)}`, {}, cloud)).status).toBe(404);
  });

  it("says that the bucket failed, and that is not kept", async () => {
    const path = await put("video/x-mp4", bytes, store);
    const away = { status: 500 };
    // First the size is asked for, then the content.
    for (const troubles of [[], ["none" as const]]) {
      s3.double.reset();
      s3.double.troubles(...troubles, away, away, away);
      const answer = await get(path, {}, cloud);
      expect([answer.status, answer.of("content-type")]).toEqual([502, "application/json"]);
      expect(answer.of("cache-control")).toBeNull();
      expect(answer.of("etag")).toBeNull();
    }
  });

  it("does not pass half of the content off as all of it", async () => {
    const path = await put("video/x-mp4", bytes, store);
    s3.double.troubles("none", "truncated");
    await expect(get(path, {}, cloud)).rejects.toThrow();
  });
});
