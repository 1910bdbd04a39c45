import { readdirSync, readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderSummary, type ShowOptions } from "../../src/command/show.ts";
import { widthOf } from "../../src/command/show-width.ts";
import { transcript } from "../../src/conversation/transcript.ts";
import { isObject, parseJson } from "../../src/document/json.ts";
import { migrate } from "../../src/document/migrate.ts";
import { readVcon } from "../../src/document/read.ts";
import { isVcon } from "../../src/document/shape.ts";
import type { Vcon } from "../../src/document/types.ts";

const folder = new URL("../../../../examples/conversations/", import.meta.url);
const samples = readdirSync(folder).filter((name) => name.endsWith(".json"));

function sample(name: string): Vcon {
  const read = readVcon(readFileSync(new URL(name, folder), "utf8"));
  if (read.form !== "unsigned") throw new Error(`${name} is ${read.form}`);
  return migrate(read.value);
}

const plain = { width: 100, colour: false } as const;

function show(vcon: Partial<Vcon>, options: Partial<ShowOptions> = {}): string {
  return renderSummary({ uuid: "u-1", parties: [], ...vcon }, { ...plain, ...options });
}

function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => widthOf(line)));
}

describe.each(samples)("%s", (name) => {
  const vcon = sample(name);

  test.each([40, 60, 100, 140, 300])("keeps within %d columns, and is complete", (width) => {
    const text = renderSummary(vcon, { width, colour: false });
    expect(widest(text)).toBeLessThanOrEqual(width);
    const words = text.replace(/\s+/g, "");
    for (const turn of transcript(vcon)) expect(words).toContain(turn.text.replace(/\s+/g, ""));
    for (const party of vcon.parties ?? []) expect(words).toContain(String(party.name).replaceAll(" ", ""));
    expect(text).toContain(vcon.uuid);
  });

  test("has the same words in colour, and no colours without", () => {
    const text = renderSummary(vcon, plain);
    const coloured = renderSummary(vcon, { ...plain, colour: true });
    expect(stripVTControlCharacters(coloured)).toBe(text);
    expect(coloured).not.toBe(text);
    expect(text).not.toContain("\u001b");
  });
});

test("a call, line by line", () => {
  const lines = renderSummary(sample("support-call.vcon.json"), { ...plain, findings: 1 }).split("\n");
  expect(lines.slice(0, 28)).toEqual([
    "Internet connection drops every evening",
    "",
    "uuid     019cd912-0286-84f5-b708-0d221ebaf96f",
    "created  2026-03-10 18:46:02 UTC",
    "version  0.4.0",
    "tags     queue:technical-support, priority:normal",
    "checked  1 finding",
    "",
    "Parties (2)",
    "  0  Maya Lindqvist  agent     +1-555-0100 · maya.lindqvist@support.example.com",
    "  1  Daniel Okafor   customer  +1-555-0147",
    "",
    "Dialogs (1)",
    "  0  recording  2026-03-10 18:42:07  3m 17s  1 → 0  audio/x-wav · 12.0 kB · support-call.wav",
    "",
    "Analyses (1)",
    "  0  transcript  deepgram / transcription  dialog 0  application/json · 10.3 kB",
    "",
    "Attachments (1)",
    "  0  tags  party 0, dialog 0  application/json · 45 B",
    "",
    "Conversation",
    "  23 turns · 415 words · 3m 17s · 3 overlaps · 37s of silence",
    "  talk: Maya Lindqvist 65 % · Daniel Okafor 35 %",
    "",
    "  +00:00  Maya Lindqvist  Thank you for calling Brightwater Internet, this is Maya speaking. How can",
    "                          I help you today?",
    "  +00:07  Daniel Okafor   Hi Maya. My internet has been dropping out every evening for about a week",
  ]);
});

test("messages have the time of day in the zone that is asked for, under the day", () => {
  const text = renderSummary(sample("team-chat.vcon.json"), { ...plain, timeZone: "Asia/Tokyo" });
  expect(text).toContain("created  2026-04-21 18:30:00 GMT+9\n");
  expect(text).toContain("\n  Tue 21 Apr 2026, GMT+9\n  18:02  Priya Raman       Morning!");
  expect(text).toContain("\n   1  text             18:03:40  1 → 0, 2");
  // The speaker is not repeated.
  expect(text).toMatch(/\n {2}18:07 {2}Grace Mbeki {7}Background\..*\n {2}18:07 {20}I have a branch/);
});

test("an e-mail keeps its paragraphs, and each day has a heading", () => {
  const text = renderSummary(sample("email-thread.vcon.json"), plain);
  expect(text).toContain("Elena Fischer  Hello,\n\n                        my order");
  expect(text.match(/^ {2}\w{3} \d+ Feb 2026, UTC$/gm)).toHaveLength(3);
});

test("an unknown time zone is named", () => {
  expect(() => show({}, { timeZone: "Mars/Base" })).toThrow(
    expect.objectContaining({ code: "invalid_option", message: expect.stringContaining("Mars/Base") }),
  );
});

test("the least vCon says that there is nothing", () => {
  expect(renderSummary({ uuid: "u-1", vcon: "0.4.0" }, plain)).toBe(
    "(no subject)\n\nuuid     u-1\nversion  0.4.0\n\nConversation\n" +
      "  No words: there are neither text dialogs nor transcripts that can be read.\n",
  );
});

test("where it comes from", () => {
  expect(show({ redacted: { uuid: "u-0", type: "names" } })).toContain("redacted from  u-0 (names)\n");
  expect(show({ amended: { uuid: "u-0" } })).toContain("amended from  u-0\n");
  expect(show({ amended: { url: "https://example.com/x" } })).toContain("a vCon that is not named");
  expect(show({ redacted: {} })).not.toContain("redacted");
  expect(show({ extensions: ["CC"], critical: ["CC"] })).toMatch(/extensions {2}CC\ncritical {4}CC/);
  expect(show({}, { findings: 0 })).toContain("checked  no findings");
});

test("calls that failed, transfers, sets and content elsewhere", () => {
  const text = show(
    {
      parties: [{ name: "Ann" }, { tel: "tel:+15550100" }, {}],
      dialog: [
        { type: "incomplete", start: "2026-01-01T10:00:00Z", parties: [0, 1], disposition: "no-answer" },
        { type: "transfer", transferor: 0, transferee: 1, transfer_target: 2, original: 0 },
        { type: "recording-set", parties: [0, 1], recordings: [3] },
        {
          type: "recording",
          start: "yesterday",
          duration: 3725,
          parties: [0, [1, 2], null],
          url: "https://user:secret@files.example.com:8443/a/b.wav?token=1",
          content_hash: ["sha256-AA", "sha512-BB"],
        },
        { type: "recording", url: "nowhere", party_history: [{ party: 0, event: "join", time: "x" }] },
        { type: "text", parties: 1 },
        {},
      ],
    },
    { width: 140 },
  );
  expect(text).toMatch(/0 {2}incomplete +2026-01-01 10:00:00 +0, 1 +no-answer\n/);
  expect(text).toMatch(/1 {2}transfer +transferor 0 · transferee 1 · transfer target 2 · original 0\n/);
  expect(text).toMatch(/2 {2}recording-set +0, 1 +recordings 3\n/);
  expect(text).toMatch(
    /3 {2}recording +yesterday +1h 02m +0 \| 1, 2 \| – +at files\.example\.com:8443 · sha256, sha512\n/,
  );
  expect(text).not.toContain("secret");
  expect(text).toMatch(/4 {2}recording +at nowhere \(not a URL\) · 1 party event\n/);
  expect(text).toMatch(/5 {2}text +1 +no content\n/);
  expect(text).toContain("6  (no type)\n");
  expect(text).toMatch(/1 {2}\+15550100 *\n/);
  expect(text).toContain("2  Party 3\n");
});

test("the first line of a text that an analysis gives", () => {
  const text = show({
    analysis: [
      { type: "summary", vendor: "Example", encoding: "none", body: "\n --- \n Ann asks.\nBob answers." },
      { type: "report", dialog: [0, 1], encoding: "json", body: { score: 1 } },
    ],
  });
  expect(text).toMatch(/0 {2}summary +Example +\d+ B\n {5}Ann asks\.\n/);
  expect(text).not.toContain("Bob");
  expect(text).toMatch(/1 {2}report +dialogs 0, 1 +11 B\n/);
});

test("nothing in a document can command the terminal or hide", () => {
  const evil = "a\u001b[2J\u001b]0;title\u0007b\u009b31m\u202Ec\u200Bd\rE\u0000\uD800";
  const text = show({
    uuid: evil,
    subject: evil,
    created_at: evil,
    redacted: { uuid: evil, type: evil },
    extensions: [evil],
    parties: [{ name: evil, tel: evil, mailto: evil, role: evil }],
    dialog: [
      { type: evil, start: evil, mediatype: evil, filename: evil, url: evil, disposition: evil },
      { type: "text", parties: [0], start: "2026-01-01T10:00:00Z", body: `${evil}\n${evil}` },
    ],
    analysis: [{ type: evil, vendor: evil, product: evil, body: evil, content_hash: evil }],
    attachments: [
      { purpose: evil, filename: evil },
      { purpose: "tags", body: [evil] },
    ],
  });
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cs}\u200B\u202E]/u);
  expect(text).toContain("a␛[2J␛]0;title␇b<U+009B>31m<U+202E>c<U+200B>d␍E␀\uFFFD");
});

test("any JSON that passes for a vCon is shown, within the width and without controls", () => {
  const member = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.integer({ min: -1, max: 3 }),
  );
  const names = ["type", "start", "duration", "parties", "mediatype", "body", "encoding", "url", "filename"];
  const more = ["dialog", "party", "name", "tel", "role", "vendor", "purpose", "recordings", "content_hash"];
  const entry = fc.dictionary(fc.constantFrom(...names, ...more), member);
  const list = fc.array(entry, { maxLength: 4 });
  const documents = fc.record({
    uuid: fc.constant("u-1"),
    subject: member,
    created_at: fc.string(),
    redacted: member,
    parties: list,
    dialog: list,
    analysis: list,
    attachments: list,
  });
  fc.assert(
    fc.property(documents, fc.integer({ min: 40, max: 120 }), (document, width) => {
      const value = parseJson(JSON.stringify(document));
      fc.pre(isObject(value) && isVcon(value));
      if (!isObject(value) || !isVcon(value)) return;
      const text = renderSummary(value, { width, colour: false });
      expect(widest(text)).toBeLessThanOrEqual(width);
      expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    }),
    { numRuns: 200 },
  );
});

test("a long conversation is complete, and does not take long", () => {
  const dialog = Array.from({ length: 2000 }, (_, index) => ({
    type: "text",
    parties: [index % 2],
    start: new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString(),
    encoding: "none",
    body: `Message ${index} – ${"wörd 漢字 ".repeat(20)}`,
  }));
  const started = performance.now();
  const text = show({ parties: [{ name: "Ann" }, { name: "Bob" }], dialog });
  expect(performance.now() - started).toBeLessThan(10_000);
  for (const index of [0, 1000, 1999]) expect(text).toContain(`Message ${index} –`);
  expect(text).toContain("  Fri 2 Jan 2026, UTC\n");
});
