import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { conversationStats, conversationStatsSchema, type JsonObject } from "../src/index.ts";

const valid = new Ajv2020({ allowUnionTypes: true }).compile(conversationStatsSchema);

function call(
  ...utterances: readonly (readonly [party: number | string, from: number, to: number, text: string])[]
): JsonObject {
  const segments = utterances.map(([party, start, end, text]) =>
    typeof party === "number"
      ? { party, start, duration: end - start, text }
      : { speaker: party, start, duration: end - start, text },
  );
  return {
    parties: [{ name: "Ann" }, { name: "Bob" }, { name: "Cleo" }],
    dialog: [{ type: "recording", start: "2026-03-01T10:00:00Z", duration: 60, parties: [0, 1] }],
    analysis: [{ type: "transcript", dialog: 0, body: segments }],
  };
}

test("a call: turns, talk time, monologues, responses, overlaps, silence", () => {
  const stats = conversationStats(
    call(
      [0, 1, 4, "Good day, how are you?"],
      [1, 5, 7, "Fine – thanks."],
      [1, 8, 10, "And you?"],
      [0, 9, 12, "Very well."],
      [1, 14, 15, "Good."],
    ),
  );
  expect(valid(stats), JSON.stringify(valid.errors)).toBe(true);
  expect(stats).toEqual({
    parties: [
      {
        party: 0,
        name: "Ann",
        turns: 2,
        words: 7,
        talk_seconds: 6,
        longest_monologue_seconds: 3,
        longest_monologue_words: 5,
        median_response_seconds: 0,
      },
      {
        party: 1,
        name: "Bob",
        turns: 2,
        words: 5,
        talk_seconds: 5,
        longest_monologue_seconds: 5,
        longest_monologue_words: 4,
        median_response_seconds: 1.5,
      },
      {
        party: 2,
        name: "Cleo",
        turns: 0,
        words: 0,
        talk_seconds: null,
        longest_monologue_seconds: null,
        longest_monologue_words: 0,
        median_response_seconds: null,
      },
    ],
    totals: {
      turns: 4,
      words: 12,
      duration_seconds: 60,
      overlaps: 1,
      overlap_seconds: 1,
      silence_seconds: 4,
    },
    dialogs: { total: 1, with_text: 1 },
  });
});

test("three at once are one overlap, and speech that only touches is none", () => {
  const { totals } = conversationStats(
    call([0, 0, 10, "a"], [1, 2, 6, "b"], [2, 3, 5, "c"], [1, 10, 11, "d"]),
  );
  expect(totals).toMatchObject({ overlaps: 1, overlap_seconds: 4, silence_seconds: 0 });
});

test("speakers who are no party are listed, unknown ones utterance by utterance", () => {
  const stats = conversationStats(call(["guest", 0, 1, "a"], ["guest", 1, 2, "b"]));
  expect(stats.parties[3]).toMatchObject({ party: null, name: "guest", turns: 1, words: 2, talk_seconds: 2 });
  const unknown = conversationStats({
    dialog: [{ type: "recording", start: "2026-03-01T10:00:00Z", parties: [0, 1] }],
    analysis: [
      {
        type: "transcript",
        body: {
          segments: [
            { start: 0, end: 1, text: "a" },
            { start: 2, end: 3, text: "b" },
          ],
        },
      },
    ],
  });
  expect(unknown.parties).toMatchObject([
    { party: null, name: "Unknown", turns: 2, median_response_seconds: null },
  ]);
});

test("a chat has response times but no talk time", () => {
  const message = (party: number, seconds: number, body: string) => ({
    type: "text",
    start: new Date(Date.UTC(2026, 2, 1, 10, 0, seconds)).toISOString(),
    parties: [party, 1 - party],
    body,
  });
  const stats = conversationStats({
    parties: [{ name: "Ann" }, { name: "Bob" }],
    dialog: [message(0, 0, "hi"), message(0, 5, "there"), message(1, 25, "hello you"), message(0, 30, "ok")],
  });
  expect(stats.parties).toMatchObject([
    { turns: 2, words: 3, talk_seconds: null, longest_monologue_words: 2, median_response_seconds: 5 },
    { turns: 1, words: 2, talk_seconds: null, median_response_seconds: 20 },
  ]);
  expect(stats.totals).toEqual({
    turns: 3,
    words: 5,
    duration_seconds: 30,
    overlaps: null,
    overlap_seconds: null,
    silence_seconds: null,
  });
});

test("one call after another is no response to it", () => {
  const dialog = [0, 1].map((day) => ({
    type: "recording",
    start: `2026-03-0${day + 1}T10:00:00Z`,
    parties: [day],
  }));
  const analysis = [0, 1].map((index) => ({
    type: "transcript",
    dialog: index,
    body: [{ party: index, start: 0, duration: 2, text: "x" }],
  }));
  const stats = conversationStats({ parties: [{}, {}], dialog, analysis });
  expect(stats.parties.map(({ median_response_seconds }) => median_response_seconds)).toEqual([null, null]);
  expect(stats.totals).toMatchObject({ duration_seconds: 86_402, silence_seconds: 0 });
});

test("an empty vCon, and anything at all, gives figures that fit the schema", () => {
  expect(conversationStats({})).toMatchObject({ parties: [], totals: { turns: 0, duration_seconds: null } });
  const list = fc.array(fc.jsonValue(), { maxLength: 3 });
  const utterance = fc.record(
    {
      party: fc.jsonValue(),
      speaker: fc.jsonValue(),
      start: fc.jsonValue(),
      end: fc.double(),
      text: fc.string(),
    },
    { requiredKeys: [] },
  );
  const analysis = fc.array(
    fc.record({ type: fc.constant("transcript"), dialog: fc.nat(2), body: fc.array(utterance) }),
  );
  const dialog = fc.array(
    fc.oneof(fc.record({ type: fc.constant("recording"), start: fc.jsonValue() }), fc.jsonValue()),
  );
  fc.assert(
    fc.property(fc.record({ parties: fc.oneof(list, fc.jsonValue()), dialog, analysis }), (document) => {
      const stats = conversationStats(JSON.parse(JSON.stringify(document)));
      expect(valid(stats), JSON.stringify(valid.errors)).toBe(true);
    }),
  );
});
