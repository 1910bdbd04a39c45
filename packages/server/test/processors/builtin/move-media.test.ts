import { randomBytes } from "node:crypto";
import { contentHash, type JsonObject, type Vcon, validate } from "@vconductor/vcon";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { moveMedia } from "../../../src/processors/builtin/move-media.ts";
import { ProviderDouble } from "../../doubles/provider.ts";
import { mediaDirectory, mediaUrl } from "../../media/directory.ts";
import { type RunProcessor, runProcessor } from "../run-processor.ts";
import { encrypted, signed, vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";

const { store: media } = await mediaDirectory();
const bytes = randomBytes(3000);
const elsewhere = await ProviderDouble.start(() => ({
  headers: { "content-type": "audio/x-wav" },
  body: bytes,
}));
afterEach(() => elsewhere.reset());

const base64url = (content: Uint8Array) => Buffer.from(content).toString("base64url");

/** A chat, its recording, a photo and a summary. */
function full(content: Uint8Array = bytes): Vcon {
  const start = "2026-03-02T09:15:00Z";
  const given = vcon("018e0000-0000-8000-8000-000000000001");
  return {
    ...given,
    dialog: [
      ...(given.dialog ?? []),
      {
        type: "recording",
        start,
        duration: 12.5,
        parties: [0, 1],
        mediatype: "audio/x-wav",
        filename: "call.wav",
        encoding: "base64url",
        body: base64url(content),
      },
    ],
    attachments: [
      {
        purpose: "photo",
        start,
        party: 0,
        dialog: 0,
        mediatype: "image/png",
        encoding: "base64url",
        body: base64url(content.subarray(1)),
      },
    ],
    analysis: [
      { type: "summary", dialog: 0, vendor: "v", mediatype: "text/plain", encoding: "none", body: "Ärger." },
      {
        type: "report",
        dialog: 0,
        vendor: "v",
        product: "p",
        schema: "s",
        encoding: "json",
        body: { a: [1] },
      },
    ],
  };
}

async function run(given: JsonObject, options: object = {}, more: Partial<RunProcessor> = {}) {
  const { io } = await runProcessor({ processor: moveMedia, vcons: [given], options, media, ...more });
  return { vcon: io.peek(0), modified: io.entries[0]?.modified };
}

const moveIn = { direction: "in" };

describe("out", () => {
  it("leaves address and hash in the place of recordings and files, and all else as it is", async () => {
    const given = full();
    const before = structuredClone(given);
    const moved = await run(given);
    const hash = await contentHash(bytes);
    const { body: _body, encoding: _encoding, ...recording } = { ...given.dialog?.[2] };
    expect(moved.vcon).toEqual({
      ...given,
      dialog: [
        given.dialog?.[0],
        given.dialog?.[1],
        { ...recording, url: `${mediaUrl}/${hash.slice("sha512-".length)}`, content_hash: hash },
      ],
      attachments: [
        {
          purpose: "photo",
          start: "2026-03-02T09:15:00Z",
          party: 0,
          dialog: 0,
          mediatype: "image/png",
          url: expect.stringContaining(`${mediaUrl}/`),
          content_hash: await contentHash(bytes.subarray(1)),
        },
      ],
    });
    expect(given).toEqual(before);
    expect(validate(moved.vcon).filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("does nothing the second time", async () => {
    const once = await run(full());
    expect(await run(once.vcon)).toEqual({ vcon: once.vcon, modified: false });
  });

  it.each([
    { min_bytes: 2999, left: 0 },
    { min_bytes: 3000, left: 1 },
    { min_bytes: 3001, left: 2 },
  ])("leaves content of less than $min_bytes bytes", async ({ min_bytes, left }) => {
    const { vcon: moved } = await run(full(), { min_bytes });
    expect(JSON.stringify(moved).match(/"base64url"/g)?.length ?? 0).toBe(left);
  });

  it("moves the named parts only", async () => {
    const given = full();
    const { vcon: moved } = await run(given, { parts: ["dialog"] });
    expect(moved).toMatchObject({ dialog: [{}, {}, { url: expect.any(String) }] });
    expect(moved.attachments).toEqual(given.attachments);
    expect((await run(given, { parts: [] })).modified).toBe(false);
  });

  it("says which body is not what it should be, and moves nothing", async () => {
    const given = full();
    const error = await rejected(
      run({ ...given, attachments: [{ purpose: "x", encoding: "base64url", body: "not base64!" }] }),
    );
    expect(error.code).toBe("invalid_vcon");
    expect(error.message).toContain("attachments 0: The body is not base64url.");
  });

  it.each([signed("s"), encrypted("e")])("changes no vCon that is sealed", async (given) => {
    for (const direction of ["in", "out"]) {
      expect((await rejected(run(given, { direction }))).code).toBe("invalid_vcon_state");
    }
  });
});

describe("in", () => {
  it("gives back what out took, to the letter", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 2 }), async (content) => {
        const given = full(content);
        const out = await run(given);
        expect((await run(out.vcon, moveIn)).vcon).toEqual(given);
      }),
      { numRuns: 20 },
    );
  });

  it("gives text and JSON back as they were", async () => {
    const given = full();
    const parts = ["dialog", "analysis", "attachments"];
    const { vcon: out } = await run(given, { text: true, parts });
    expect(JSON.stringify(out)).not.toMatch(/"body"|Ärger/);
    const { vcon: back } = await run(out, { ...moveIn, parts });
    expect(back).toEqual({
      ...given,
      // It had none, but its content could not be told without.
      analysis: [given.analysis?.[0], { ...given.analysis?.[1], mediatype: "application/json" }],
    });
  });

  it("keeps text that is not UTF-8, byte for byte", async () => {
    const latin1 = Buffer.from("Ärger", "latin1");
    const dialog = { type: "text", mediatype: "text/plain", encoding: "base64url", body: base64url(latin1) };
    const given = { ...full(), dialog: [dialog] };
    const out = await run(given);
    expect((await run(out.vcon, moveIn)).vcon).toEqual(given);
  });

  it("leaves content of others where it is, unless told otherwise", async () => {
    const url = `${elsewhere.url}/call.wav`;
    const recording = {
      type: "recording",
      mediatype: "audio/x-wav",
      url,
      content_hash: await contentHash(bytes),
    };
    const given = { ...full(), dialog: [recording] };
    const env = { FETCH_ALLOW: elsewhere.host };
    expect((await run(given, moveIn, { env })).modified).toBe(false);
    expect(elsewhere.received).toHaveLength(0);
    const { vcon: moved } = await run(given, { ...moveIn, foreign: true }, { env });
    expect(moved.dialog).toEqual([
      { type: "recording", mediatype: "audio/x-wav", encoding: "base64url", body: base64url(bytes) },
    ]);
    expect((await rejected(run(given, { ...moveIn, foreign: true }))).code).toBe("fetch_refused");
    elsewhere.troubles({ status: 404 });
    const missing = await rejected(run(given, { ...moveIn, foreign: true }, { env }));
    expect([missing.code, missing.message]).toEqual(["provider_failed", `${elsewhere.host} answered 404`]);
    elsewhere.troubles("truncated");
    const broken = await rejected(run(given, { ...moveIn, foreign: true }, { env }));
    expect(broken.code).toBe("provider_failed");
  });

  it("takes nothing from elsewhere that has no hash, or another one", async () => {
    const env = { FETCH_ALLOW: elsewhere.host };
    const foreign = { ...moveIn, foreign: true };
    const recording = { type: "recording", mediatype: "audio/x-wav", url: `${elsewhere.url}/call.wav` };
    const bare = { ...full(), dialog: [recording] };
    expect((await run(bare, foreign, { env })).modified).toBe(false);
    expect(elsewhere.received).toHaveLength(0);
    const other = { ...recording, content_hash: await contentHash(bytes.subarray(1)) };
    const error = await rejected(run({ ...full(), dialog: [other] }, foreign, { env }));
    expect(error.code).toBe("provider_failed");
    expect(error.message).toContain("dialog 0: The content does not have the hash");
  });

  it("leaves an address of ours where there is nothing", async () => {
    const name = "A".repeat(86);
    const lost = { type: "recording", url: `${mediaUrl}/${name}`, content_hash: `sha512-${name}` };
    const given = { ...full(), dialog: [lost] };
    expect((await run(given, moveIn)).modified).toBe(false);
  });
});
