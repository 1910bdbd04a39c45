import fc from "fast-check";
import { expect, test } from "vitest";
import { VconError } from "../../src/document/errors.ts";
import { parse } from "../../src/document/parse.ts";
import { validate } from "../../src/validation/validate.ts";
import { good } from "./documents.ts";

test.each([null, undefined, 1, "x", [], [[]], true])(
  "what is no object has findings, too: %j",
  (document) => {
    expect(validate(document)).toMatchObject([{ rule: "form", path: [], severity: "error" }]);
  },
);

test("unknown members are nobody's business", () => {
  expect(
    validate({
      ...good,
      x_mine: { any: ["thing", null] },
      parties: [{ ...good.parties[0], x: null }, {}, {}],
    }),
  ).toEqual([]);
});

test("a member named __proto__ is a member like others", () => {
  const document: unknown = JSON.parse(JSON.stringify(good).replace("{", '{"__proto__":{"uuid":"x"},'));
  expect(validate(document)).toEqual([]);
});

test("findings are in the order of the document, and say what was there", () => {
  const findings = validate({ ...good, subject: 1, parties: [{ did: "x".repeat(500) }, {}, {}] });
  expect(findings.map(({ rule }) => rule)).toEqual(["wrong-type", "did"]);
  expect(findings[0]).toMatchObject({ input: 1 });
  expect(String(findings[1]?.input)).toHaveLength(100);
});

test("no more findings than asked for; errors go first", () => {
  const parties = [...Array(500).keys()].map(() => ({ name: "Ann", did: "x" }));
  const document = { ...good, parties };
  expect(validate(document)).toHaveLength(100);
  const few = validate(document, { maxFindings: 3 });
  expect(few.map(({ severity }) => severity)).toEqual(["error", "error", "error"]);
  expect(() => validate(document, { maxFindings: 0 })).toThrow(VconError);
  expect(() => validate(document, { maxFindings: Number.NaN })).toThrow(/maxFindings/);
});

test("hostile documents take no time to speak of", () => {
  const deep: unknown = JSON.parse(`${"[".repeat(3000)}0${"]".repeat(3000)}`);
  expect(validate({ ...good, dialog: [{ type: "recording", parties: deep }] }).length).toBeGreaterThan(0);
  const long = "a".repeat(1_000_000);
  expect(
    validate({
      ...good,
      uuid: long,
      subject: long,
      parties: [{ tel: `${long} `, mailto: long, did: long, gmlpos: long }],
    }).length,
  ).toBeGreaterThan(3);
  const sets = [...Array(20_000).keys()].map(() => ({
    type: "recording-set",
    recordings: [0, 1, 2],
    recording_set: 0,
  }));
  expect(validate({ ...good, dialog: sets })).toHaveLength(100);
});

/** Anything under the names of the format. */
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, 0, -1, 1.5, "", "x", "recording", "2026-04-21T09:30:00Z", true),
    tie("object"),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
  object: fc.dictionary(
    fc.constantFrom(
      "vcon",
      "uuid",
      "created_at",
      "parties",
      "dialog",
      "analysis",
      "attachments",
      "redacted",
      "amended",
      "type",
      "start",
      "body",
      "encoding",
      "url",
      "content_hash",
      "party_history",
      "session_id",
      "recordings",
      "recording_set",
      "original",
      "payload",
      "signatures",
      "protected",
      "header",
      "ciphertext",
      "recipients",
      "__proto__",
    ),
    tie("value"),
    { maxKeys: 6 },
  ),
}));

test("never throws, and points at what is there or at what is missing from it", () => {
  fc.assert(
    fc.property(anything.object, (document) => {
      for (const mode of ["strict", "lenient"] as const) {
        for (const { path } of validate(document, { mode })) {
          // Headers are missing together with what should be in them.
          const parent = path.slice(0, -1).reduce((value: unknown, step) => Object(value)[step], document);
          const inHeader = ["header", "unprotected"].includes(String(path.at(-2)));
          expect(path.length === 0 || inHeader || (typeof parent === "object" && parent !== null)).toBe(true);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("lenient errors are what the reader refuses, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(anything.object, async (document) => {
      const errors = validate(document, { mode: "lenient" }).filter(({ severity }) => severity === "error");
      const refused = await parse(JSON.stringify(document)).then(
        () => false,
        (error: unknown) => error instanceof VconError,
      );
      expect(errors.length > 0).toBe(refused);
    }),
    { numRuns: 500 },
  );
});
