import { type JsonObject, type JsonValue, readTags, type Vcon, validate } from "@vconductor/vcon";
import { describe, expect, it } from "vitest";
import { english } from "../../../src/processors/text/english.ts";
import { detectLanguage } from "../../../src/processors/text/language.ts";
import { rankKeywords } from "../../../src/processors/text/rank-keywords.ts";
import { runProcessor } from "../run-processor.ts";
import { encrypted, vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";

/** A chat of these texts, by turns of the two parties. */
function chat(...texts: readonly string[]): JsonObject {
  const [dialog] = vcon("a").dialog ?? [];
  const turns = texts.map((body, index) => ({
    ...dialog,
    originator: index % 2,
    parties: [index % 2],
    start: new Date(Date.UTC(2026, 2, 2, 9, index)).toISOString(),
    body,
  }));
  return { ...vcon("a"), dialog: turns };
}

const german = chat(
  "Guten Tag, ich habe ein Problem mit meiner Rechnung vom letzten Monat.",
  "Das tut mir leid. Ich sehe gleich nach, einen Augenblick bitte.",
);
const cross = chat(
  "This is terrible. My internet connection is broken again and I am very angry.",
  "I am sorry about the broken internet connection. Let me check the router.",
  "Thank you, that is great! The internet connection works and I am happy.",
);

function analysisOf(given: Vcon): readonly JsonObject[] {
  return given.analysis ?? [];
}

async function twice(processor: string, given: JsonObject, options: object = {}) {
  const first = await runProcessor({ processor, options, vcons: [given] });
  const again = await runProcessor({ processor, options, vcons: [first.io.document(0)] });
  expect(again.io.toOutput().vcons_modified).toEqual([false]);
  const errors = validate(first.io.vcon(0)).filter(({ severity }) => severity === "error");
  expect(errors.map(({ path }) => path)).toEqual([["uuid"]]);
  return { io: first.io, analysis: analysisOf(first.io.vcon(0)) };
}

describe("language_detect", () => {
  it("tells the language in all and of each dialog", async () => {
    const { io, analysis } = await twice("language_detect", german);
    expect(analysis).toMatchObject([
      {
        type: "language",
        vendor: "vConductor",
        body: {
          language: "de",
          confidence: expect.any(Number),
          dialogs: [
            { dialog: 0, language: "de" },
            { dialog: 1, language: "de" },
          ],
        },
      },
    ]);
    expect(io.parameters.get("language")).toBe("de");
  });

  it("chooses among the languages given", async () => {
    const options = { languages: ["en", "nl"], set_parameter: "l" };
    const { io } = await runProcessor({ processor: "language_detect", options, vcons: [german] });
    expect(["en", "nl"]).toContain(io.parameters.get("l"));
  });

  it("gives no verdict on too few words, and takes an earlier one back", async () => {
    const { io } = await runProcessor({ processor: "language_detect", vcons: [german] });
    const short: JsonObject = { ...io.document(0), dialog: chat("Hi!").dialog ?? [] };
    const after = await runProcessor({ processor: "language_detect", vcons: [short] });
    expect([analysisOf(after.io.vcon(0)), after.io.parameters.get("language")]).toEqual([[], null]);
  });

  it.each([
    ["Bonjour, je voudrais annuler ma commande, s'il vous plaît.", "fr"],
    ["Hola, necesito ayuda con mi pedido, por favor.", "es"],
    ["こんにちは、注文についてお聞きしたいことがあります。", "ja"],
    ["Dzień dobry, chciałbym zmienić termin wizyty.", "pl"],
  ])("knows %s", async (text, language) => {
    expect(await detectLanguage(text, { minimumCharacters: 20 })).toMatchObject({ language });
  });
});

describe("sentiment", () => {
  it("scores turns, parties and the whole, and tells the trend", async () => {
    const { io, analysis } = await twice("sentiment", cross, { set_parameter: "mood" });
    const body = analysis[0]?.body;
    expect(body).toMatchObject({
      parties: [{ party: 0 }, { party: 1 }],
      turns: [{ dialog: 0, party: 0, start: "2026-03-02T09:00:00.000Z" }, { dialog: 1 }, { dialog: 2 }],
    });
    const { turns, trend, score } = body as { turns: { score: number }[]; trend: number; score: number };
    expect(turns[0]?.score).toBeLessThan(0);
    expect(turns[2]?.score).toBeGreaterThan(0);
    expect(trend).toBeGreaterThan(0.3);
    expect(io.parameters.get("mood")).toBe(score);
    expect(Math.abs(score)).toBeLessThanOrEqual(1);
  });

  it("has none of other languages", async () => {
    const { io } = await runProcessor({
      processor: "sentiment",
      options: { set_parameter: "m" },
      vcons: [german],
    });
    expect([io.toOutput().vcons_modified, io.parameters.get("m")]).toEqual([[false], null]);
  });
});

describe("keywords", () => {
  it("ranks what the conversation is about", async () => {
    const { io, analysis } = await twice("keywords", cross, { limit: 2, tag: true, set_parameter: "words" });
    expect(analysis).toMatchObject([
      { type: "keywords", body: [{ keyword: "internet connection", score: 1 }, {}] },
    ]);
    const words = io.parameters.get("words");
    const ranked = analysis[0]?.body as unknown as { keyword: string }[];
    expect(words).toEqual(ranked.map(({ keyword }) => keyword));
    expect(readTags(io.vcon(0))).toEqual((words as string[]).map((word) => `keyword:${word}`));
  });

  it("counts, and leaves out words that tell nothing", async () => {
    const ranked = rankKeywords(
      await english(),
      "The delivery date moved. It was the delivery date that they had it on.",
    );
    expect(ranked[0]).toMatchObject({ keyword: "delivery date", count: 2, score: 1 });
    expect(ranked.map(({ keyword }) => keyword)).not.toContain("it");
  });

  it("has none of other languages, and none of nothing", async () => {
    for (const given of [german, chat()]) {
      const { io } = await runProcessor({
        processor: "keywords",
        options: { set_parameter: "w" },
        vcons: [given],
      });
      expect([io.toOutput().vcons_modified, io.parameters.get("w")]).toEqual([[false], []]);
    }
  });
});

describe("validate", () => {
  /** Its uuid is none. */
  const broken = vcon("a");

  it("fails with what is wrong and where", async () => {
    const error = await rejected(runProcessor({ processor: "validate", vcons: [broken] }));
    expect(error.code).toBe("invalid_vcon");
    expect(error.message).toMatch(/^vCon a is not valid: /);
    expect(error.message).toContain('uuid: uuid "a" is no UUID');
  });

  it("tags, or sets a parameter only", async () => {
    const tagged = await runProcessor({
      processor: "validate",
      options: { on_invalid: "tag" },
      vcons: [broken],
    });
    expect(readTags(tagged.io.vcon(0))).toEqual(["validation:failed"]);
    const { io } = await runProcessor({
      processor: "validate",
      options: { on_invalid: "go_on" },
      vcons: [broken],
    });
    const result = io.parameters.get("validation");
    expect(result).toMatchObject({
      valid: false,
      findings: expect.arrayContaining([expect.objectContaining({ path: "uuid", severity: "error" })]),
    });
    expect(io.toOutput().vcons_modified).toEqual([false]);
  });

  it("takes vCons in any form, and finds nothing wrong with good ones", async () => {
    const good: JsonObject = { ...vcon("a"), uuid: "019cd912-0286-84f5-b708-0d221ebaf96f" };
    const { io } = await runProcessor({ processor: "validate", vcons: [good] });
    expect(io.parameters.get("validation")).toMatchObject({ valid: true, errors: 0 });
    const sealed = await runProcessor({
      processor: "validate",
      options: { on_invalid: "go_on" },
      vcons: [encrypted("e")],
    });
    expect(sealed.io.parameters.get("validation")).toMatchObject({ valid: true });
  });
});

describe("expire", () => {
  const dateOf = (given: Vcon): JsonValue | undefined =>
    (given.attachments?.[0]?.body as JsonObject | undefined)?.delete_after;
  const run = (options: object, given: JsonObject = vcon("a")) =>
    runProcessor({ processor: "expire", options, vcons: [given] });

  it.each([
    [{ days: 1 }, "2026-03-03T09:15:00.000+00:00", "created_at"],
    [{ days: 0.5, from: "last_dialog" }, "2026-03-02T21:15:30.000+00:00", "last_dialog"],
    [{ at: "2027-01-31T00:00:00+01:00" }, "2027-01-30T23:00:00.000+00:00", "date"],
  ])("%j", async (options, date, basis) => {
    const { io } = await run({ ...options, reason: "policy", set_parameter: "until" });
    expect(io.vcon(0).attachments).toMatchObject([
      {
        purpose: "retention",
        party: 0,
        dialog: 0,
        encoding: "json",
        body: { delete_after: date, basis, reason: "policy" },
      },
    ]);
    expect(io.parameters.get("until")).toBe(date);
  });

  it("keeps the earlier date, unless told to extend", async () => {
    const { io } = await run({ days: 10 });
    const given = io.document(0);
    expect((await run({ days: 20 }, given)).io.toOutput().vcons_modified).toEqual([false]);
    expect(dateOf((await run({ days: 5 }, given)).io.vcon(0))).toBe("2026-03-07T09:15:00.000+00:00");
    const extended = (await run({ days: 20, extend: true }, given)).io.vcon(0);
    expect([dateOf(extended), extended.attachments?.length]).toEqual(["2026-03-22T09:15:00.000+00:00", 1]);
  });

  it.each([
    [{}, "expire needs days (more than 0) or at"],
    [{ at: "tomorrow" }, "at: tomorrow is not a date and time"],
  ])("%j is refused", async (options, text) => {
    const error = await rejected(run(options));
    expect(error.code).toBe("invalid_options");
    expect(error.message).toContain(text);
  });
});
