import { randomBytes } from "node:crypto";
import { contentHash, type JsonObject, type Vcon, validate } from "@vconductor/vcon";
import { describe, expect, it } from "vitest";
import { diet } from "../../../src/processors/builtin/diet.ts";
import { mediaDirectory } from "../../media/directory.ts";
import { runProcessor } from "../run-processor.ts";
import { encrypted, signed, vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";

const { store: media } = await mediaDirectory();
const bytes = randomBytes(3000);
const start = "2026-03-02T09:15:00Z";

const recording = {
  type: "recording",
  start,
  duration: 12.5,
  parties: [0, 1],
  originator: 1,
  mediatype: "audio/x-wav",
  filename: "call.wav",
};
const place = { start, party: 0, dialog: 0 };
const photo = {
  purpose: "photo",
  ...place,
  mediatype: "image/png",
  encoding: "base64url",
  body: bytes.toString("base64url"),
};
const raw = { purpose: "raw", ...place, mediatype: "application/json", encoding: "json", body: { a: 1 } };
const analysis = { dialog: 0, vendor: "v", mediatype: "text/plain", encoding: "none", body: "Words." };

/** A chat, its recording, and what was made of it. */
function full(): Vcon {
  const given = vcon("018e0000-0000-8000-8000-000000000001");
  const content = { encoding: "base64url", body: bytes.toString("base64url") };
  return {
    ...given,
    dialog: [...(given.dialog ?? []), { ...recording, ...content }],
    attachments: [raw, photo],
    analysis: [
      { type: "summary", ...analysis, attachment: [0, 1] },
      { type: "transcript", ...analysis },
      { type: "report", ...analysis, attachment: 1 },
    ],
  };
}

async function run(options: object = {}, given: JsonObject = full()) {
  const { io } = await runProcessor({ processor: diet, vcons: [given], options, media });
  return { vcon: io.peek(0), modified: io.entries[0]?.modified };
}

const errorsOf = (document: JsonObject) => validate(document).filter(({ severity }) => severity === "error");

describe("diet", () => {
  it("drops recordings, and keeps who spoke when, what was written, and what proves the recording", async () => {
    const given = full();
    const { vcon: slim } = await run({}, given);
    expect(slim).toEqual({
      ...given,
      dialog: [...(given.dialog ?? []).slice(0, 2), { ...recording, content_hash: await contentHash(bytes) }],
    });
    expect(given).toEqual(full());
  });

  it.each([
    { dialog_bodies: "drop", text_dialogs: true, attachment_bodies: "drop", analysis_bodies: "drop" },
    { dialog_bodies: "move", text_dialogs: true, attachment_bodies: "move", analysis_bodies: "move" },
    { attachment_purposes_to_remove: ["raw"], analysis_types_to_remove: ["report"] },
  ])("leaves a valid vCon: %j", async (options) => {
    const { vcon: slim } = await run(options);
    expect(errorsOf(slim)).toEqual([]);
    expect(validate(slim, { mode: "lenient" }).filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("drops what was written only when told to, and without a hash that would give short words away", async () => {
    const { vcon: slim } = await run({ text_dialogs: true, analysis_bodies: "drop" });
    expect(JSON.stringify(slim)).not.toMatch(/When does my order arrive|Words\./);
    const hashes = [slim.dialog, slim.analysis].flat().map((entry) => Object(entry).content_hash);
    const proof = await contentHash(bytes);
    expect(hashes).toEqual([undefined, undefined, proof, undefined, undefined, undefined]);
  });

  it("moves content to the media store", async () => {
    const { vcon: slim } = await run({ dialog_bodies: "move", attachment_bodies: "move" });
    const url = String(Object(slim.dialog)[2].url);
    expect(await media.get(url)).toEqual(bytes);
    expect(slim.dialog).toMatchObject([{}, {}, { ...recording, content_hash: await contentHash(bytes) }]);
    expect(Object(slim.dialog)[2]).not.toHaveProperty("body");
    expect(slim.attachments).toMatchObject([{ url: expect.any(String) }, { url }]);
    expect(slim.dialog).toMatchObject([{ body: expect.any(String) }, { body: expect.any(String) }, {}]);
  });

  it("moves JSON so that it can be told what it is", async () => {
    const { mediatype: _, ...bare } = { ...analysis, encoding: "json", body: { a: 1 } };
    const report = { type: "report", product: "p", schema: "s", ...bare };
    const { vcon: slim } = await run({ analysis_bodies: "move" }, { ...full(), analysis: [report] });
    expect(slim.analysis).toMatchObject([{ mediatype: "application/json", url: expect.any(String) }]);
  });

  it.each([
    { min_bytes: 3000, kept: false },
    { min_bytes: 3001, kept: true },
  ])("keeps content of less than $min_bytes bytes", async ({ min_bytes, kept }) => {
    for (const dialog_bodies of ["drop", "move"]) {
      const { vcon: slim, modified } = await run({ dialog_bodies, min_bytes });
      expect(Object.hasOwn(Object(slim.dialog)[2], "body")).toBe(kept);
      expect(modified).toBe(!kept);
    }
  });

  it("removes analyses by type", async () => {
    const given = full();
    const { vcon: slim } = await run({
      dialog_bodies: "keep",
      analysis_types_to_remove: ["transcript", "no"],
    });
    expect(slim).toEqual({ ...given, analysis: [given.analysis?.[0], given.analysis?.[2]] });
  });

  it("removes attachments by purpose, and what points at the others follows", async () => {
    const given = full();
    const options = { dialog_bodies: "keep", attachment_purposes_to_remove: ["raw"] };
    const { vcon: slim } = await run(options);
    expect(slim.attachments).toEqual([photo]);
    expect(slim.analysis).toEqual([
      { ...given.analysis?.[0], attachment: [0] },
      given.analysis?.[1],
      { ...given.analysis?.[2], attachment: 0 },
    ]);
    const both = await run({ ...options, attachment_purposes_to_remove: ["raw", "photo"] });
    expect(both.vcon.attachments).toEqual([]);
    expect(JSON.stringify(both.vcon)).not.toContain('"attachment"');
  });

  it("changes nothing where there is nothing to lose", async () => {
    const chat = vcon("018e0000-0000-8000-8000-000000000001");
    expect(await run({}, chat)).toEqual({ vcon: chat, modified: false });
    const keep = { dialog_bodies: "keep", attachment_purposes_to_remove: ["none"] };
    expect(await run(keep)).toEqual({ vcon: full(), modified: false });
    const once = await run();
    expect(await run({}, once.vcon)).toEqual({ vcon: once.vcon, modified: false });
  });

  it.each([signed("s"), encrypted("e")])("changes no vCon that is sealed", async (given) => {
    expect((await rejected(run({}, given))).code).toBe("invalid_vcon_state");
  });
});
