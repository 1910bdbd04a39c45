import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  conversationStats,
  describe,
  migrate,
  readTags,
  readVcon,
  searchText,
  toVersion,
  transcript,
} from "../src/index.ts";

const folder = new URL("../../../examples/conversations/", import.meta.url);

function sample(name: string) {
  const read = readVcon(readFileSync(new URL(name, folder), "utf8"));
  if (read.form !== "unsigned") throw new Error(`${name} is ${read.form}`);
  return { ...read, newest: migrate(read.value) };
}

const expected = {
  "email-thread.vcon.json": {
    version: "0.4.0",
    turns: 4,
    speakers: ["Elena Fischer", "Sam Whitfield"],
    talk: false,
  },
  "legacy-call.vcon.json": {
    version: "0.0.1",
    turns: 8,
    speakers: ["Lakeside Dental", "Victor Almeida"],
    talk: true,
  },
  "support-call.vcon.json": {
    version: "0.4.0",
    turns: 23,
    speakers: ["Maya Lindqvist", "Daniel Okafor"],
    talk: true,
  },
  "team-chat.vcon.json": {
    version: "0.4.0",
    turns: 14,
    speakers: ["Priya Raman", "Tomasz Zielinski", "Grace Mbeki"],
    talk: false,
  },
  "voicemail.vcon.json": { version: "0.4.0", turns: 5, speakers: ["Ruth Castellano"], talk: true },
};

test("every sample is expected", () => {
  expect(
    readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort(),
  ).toEqual(Object.keys(expected));
});

test.each(Object.entries(expected))("%s", (name, { version, turns, speakers, talk }) => {
  const { value, newest, version: given, uuid, form } = sample(name);
  expect(given).toBe(version);
  expect(uuid).toMatch(/^019[0-9a-f]{5}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(newest.vcon).toBe("0.4.0");
  const found = transcript(newest);
  expect(found).toHaveLength(turns);
  expect([...new Set(found.map((turn) => turn.partyLabel))]).toEqual(speakers);
  const stats = conversationStats(newest);
  expect(stats.totals.words).toBeGreaterThan(40);
  expect(
    stats.parties.filter((party) => party.turns > 0).map((party) => party.talk_seconds !== null),
  ).toEqual(speakers.map(() => talk));
  expect(stats.dialogs.with_text).toBe(stats.dialogs.total);
  expect(describe(value, form).createdAt?.getUTCFullYear()).toBe(2026);
  expect(searchText(newest).length).toBeGreaterThan(200);
  expect(toVersion(newest, "0.0.2").vcon.vcon).toBe("0.0.2");
});

test("the support call overlaps, pauses and is tagged", () => {
  const { newest } = sample("support-call.vcon.json");
  expect(conversationStats(newest).totals).toMatchObject({
    turns: 23,
    duration_seconds: 197.4,
    overlaps: 3,
    overlap_seconds: 1.3,
  });
  expect(readTags(newest)).toEqual(["queue:technical-support", "priority:normal"]);
  const body = newest.dialog?.[0]?.body;
  expect(Buffer.from(String(body), "base64url").subarray(0, 4).toString()).toBe("RIFF");
});

test("the legacy call comes out modern", () => {
  const { newest } = sample("legacy-call.vcon.json");
  expect(newest.dialog?.[0]).toMatchObject({
    start: "2026-05-13T09:04:58.000+00:00",
    mediatype: "audio/x-wav",
    content_hash: expect.stringMatching(/^sha512-[\w-]{86}$/),
  });
  expect(newest.analysis?.[0]).toMatchObject({
    product: "transcription",
    schema: "deepgram_prerecorded",
    encoding: "json",
  });
  expect(newest.attachments?.[0]).toMatchObject({ purpose: "crm-record", mediatype: "application/json" });
  for (const gone of ["group", "redacted"]) expect(newest).not.toHaveProperty(gone);
});
