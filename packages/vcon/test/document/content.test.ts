import { createHash } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contentBytes, contentHash, inlineBytes, verifyContentHash } from "../../src/document/content.ts";

const bytes = new TextEncoder().encode("Hello");
const digest = (name: string) => createHash(name).update(bytes).digest("base64url");

test("hashes are those that others compute", async () => {
  expect(await contentHash(bytes)).toBe(`sha512-${digest("sha512")}`);
  expect(await contentHash(bytes, "sha256")).toBe(`sha256-${digest("sha256")}`);
  expect(await contentHash(bytes, "sha384")).toBe(`sha384-${digest("sha384")}`);
  // @ts-expect-error: for callers without types
  await expect(contentHash(bytes, "md5")).rejects.toMatchObject({ code: "invalid_option" });
});

test("all hashes that are known must fit; one that nobody knows confirms nothing", async () => {
  const good = await contentHash(bytes);
  await verifyContentHash(bytes, [good, "md5-AAAA"]);
  await verifyContentHash(bytes, `${good}==`);
  const wrong = `sha256-${"A".repeat(43)}`;
  await expect(verifyContentHash(bytes, [good, wrong])).rejects.toMatchObject({
    code: "hash_mismatch",
    message: expect.stringContaining(wrong),
  });
  await expect(verifyContentHash(bytes, ["md5-AAAA"])).rejects.toMatchObject({
    code: "invalid_option",
    message: expect.stringContaining("found: md5"),
  });
  await expect(verifyContentHash(bytes, [])).rejects.toMatchObject({ code: "invalid_option" });
});

test("a hostile token costs no time, and does not fill the message", async () => {
  const began = performance.now();
  const hostile = [`sha256-${"=".repeat(1_000_000)}x`, `sha512-${"=".repeat(1_000_000)}`];
  for (const token of hostile) {
    const error: unknown = await verifyContentHash(bytes, token).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "hash_mismatch" });
    expect(String(error).length).toBeLessThan(500);
  }
  await expect(verifyContentHash(bytes, "x".repeat(1_000_000))).rejects.toMatchObject({
    code: "invalid_option",
    message: expect.stringMatching(/^.{1,400}$/),
  });
  // A quadratic pattern takes minutes.
  expect(performance.now() - began).toBeLessThan(5000);
});

test("the hash of a part of a buffer is of that part", async () => {
  const within = new Uint8Array([0, ...bytes, 0]).subarray(1, -1);
  expect(await contentHash(within)).toBe(await contentHash(bytes));
});

test("inline bodies by their encoding, also where none is given", () => {
  const text = (entry: Parameters<typeof inlineBytes>[0]) => Buffer.from(inlineBytes(entry) ?? []).toString();
  expect(text({ body: "SGVsbG8", encoding: "base64url" })).toBe("Hello");
  expect(text({ body: "SGVsbG8=", encoding: "base64url" })).toBe("Hello");
  expect(text({ body: "Hello", encoding: "none" })).toBe("Hello");
  expect(text({ body: { a: 1 }, encoding: "json" })).toBe('{"a":1}');
  expect(inlineBytes({})).toBeUndefined();
  expect(inlineBytes({ body: "" })).toBeUndefined();
  for (const body of ["*", "A", "SGVsbG8\u0000", "SGVs\u00e9", "SGVsbG8%3D"]) {
    expect(() => inlineBytes({ body, encoding: "base64url" }), body).toThrow(
      expect.objectContaining({ code: "invalid_vcon", message: "The body is not base64url." }),
    );
  }
  expect(text({ body: "SGVsbG8", mediatype: "audio/x-wav" })).toBe("Hello");
  expect(text({ body: "SGVsbG8", mediatype: "text/plain" })).toBe("SGVsbG8");
});

describe("content that is elsewhere", () => {
  let server: Server;
  let port: number;
  let answer: RequestListener;
  /** The address says https, as it must; this one goes to the server beside the test all the same. */
  const local: typeof fetch = (input, init) =>
    fetch(String(input).replace("https://files.example.com", `http://127.0.0.1:${port}`), init);
  const url = "https://files.example.com/call.wav";

  beforeAll(async () => {
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("is fetched and checked", async () => {
    answer = (_request, response) => response.end(bytes);
    const entry = { url, content_hash: [await contentHash(bytes), await contentHash(bytes, "sha256")] };
    expect(await contentBytes(entry, { fetch: local })).toEqual(bytes);
    expect(await contentBytes({ url }, { fetch: local })).toEqual(bytes);
    answer = (_request, response) => response.end("other");
    await expect(contentBytes(entry, { fetch: local })).rejects.toMatchObject({ code: "hash_mismatch" });
  });

  test.each<readonly [string, RequestListener, RegExp]>([
    ["refused", (_request, response) => response.writeHead(404).end("no"), /answered 404 Not Found\.$/],
    ["too large", (_request, response) => response.end("x".repeat(100)), /gives more than 50 bytes/],
    [
      "broken off",
      (_request, response) => {
        response.writeHead(200, { "content-length": "40" });
        // The end of the connection goes after the byte that was promised forty of.
        response.write("x", () => response.socket?.end());
      },
      /broke off/,
    ],
    ["no answer", (request) => request.destroy(), /could not be fetched/],
  ])("%s", async (_name, listener, message) => {
    answer = listener;
    await expect(contentBytes({ url }, { fetch: local, maxBytes: 50 })).rejects.toMatchObject({
      code: "fetch_failed",
      message: expect.stringMatching(message),
    });
  });

  test("messages stay on one short line, whatever the address", async () => {
    answer = (_request, response) => response.writeHead(404).end();
    const long = `${url}?\n${"x".repeat(2000)}`;
    await expect(contentBytes({ url: long }, { fetch: local })).rejects.toMatchObject({
      code: "fetch_failed",
      message: expect.stringMatching(/^https:.{1,300} answered 404 Not Found\.$/),
    });
  });

  test("content of exactly the size allowed is taken", async () => {
    answer = (_request, response) => response.end(bytes);
    expect(await contentBytes({ url }, { fetch: local, maxBytes: 5 })).toEqual(bytes);
    await expect(contentBytes({ url }, { fetch: local, maxBytes: 4 })).rejects.toThrow("more than 4 bytes");
  });

  test("can be given up", async () => {
    answer = () => undefined;
    const signal = AbortSignal.timeout(50);
    await expect(contentBytes({ url }, { fetch: local, signal })).rejects.toMatchObject({
      code: "fetch_failed",
    });
  });

  test.each([["http://files.example.com/a"], ["file:///etc/passwd"], ["nonsense"]])(
    "is fetched from https only: %s",
    async (address) => {
      await expect(contentBytes({ url: address }, { fetch: local })).rejects.toMatchObject({
        code: "fetch_failed",
        message: expect.stringContaining("is not an https URL"),
      });
    },
  );

  test("is not there at all", async () => {
    await expect(contentBytes({})).rejects.toThrow("neither body nor url");
  });
});
