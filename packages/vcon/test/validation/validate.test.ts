import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VconError } from "../../src/document/errors.ts";
import { detectForm } from "../../src/document/form.ts";
import { isObject } from "../../src/document/json.ts";
import { parse } from "../../src/document/parse.ts";
import { validate } from "../../src/validation/validate.ts";
import { encryptedGood, good } from "./documents.ts";
import { damaged, nonsense } from "./generated.ts";

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

/** What takes quadratic time takes minutes here, and a recursion ends in an overflow of the stack. */
describe("hostile documents take no time to speak of", () => {
  const many = 100_000;
  const deepList: unknown = JSON.parse(`${"[".repeat(5000)}0${"]".repeat(5000)}`);
  const deepObject: unknown = JSON.parse(`${'{"a":'.repeat(5000)}0${"}".repeat(5000)}`);
  const long = "a".repeat(1_000_000);
  const bigHeader = Buffer.from(JSON.stringify({ x: "x".repeat(140_000) })).toString("base64url");
  const times = (count: number, value: unknown) => Array.from({ length: count }, () => value);
  const everywhere = (value: unknown) => {
    const members = (names: string) => Object.fromEntries(names.split(" ").map((name) => [name, value]));
    const body = members("body encoding url content_hash mediatype filename");
    return {
      ...members("vcon uuid created_at updated_at subject extensions critical redacted amended"),
      parties: [members("tel sip stir mailto name did validation gmlpos civicaddress uuid type")],
      dialog: [
        { ...members("type start duration parties originator session_id party_history recordings"), ...body },
        { type: "recording", parties: value, originator: 0, session_id: value, recording_set: value },
        { type: "transfer", ...members("transferee original consultation target_dialog") },
        { type: "recording-set", recordings: value, party_history: [members("party time event button")] },
      ],
      analysis: [
        { ...members("type dialog attachment vendor product schema"), ...body },
        { body: value, encoding: "json" },
      ],
      attachments: [
        { ...members("purpose start party dialog"), ...body },
        { body: value, encoding: "base64url" },
      ],
    };
  };
  const sealed = (value: unknown) => ({
    ...encryptedGood,
    unprotected: { enc: value, cty: value, alg: value, uuid: value },
    recipients: [{ header: { alg: value, enc: value }, encrypted_key: value }],
  });
  const signatureOf = (value: unknown) => ({
    payload: "AAAA",
    signatures: [{ protected: "e30", header: { alg: value, x5c: value, x5u: value }, signature: value }],
  });
  test.each([
    ["100 000 parties", { ...good, parties: times(many, { did: "x", name: "Ann" }) }],
    ["100 000 entries that are none", { ...good, parties: times(many, null) }],
    [
      "100 000 channels",
      { ...good, dialog: [{ type: "recording", parties: times(many, [0, "x", null, [1]]) }] },
    ],
    [
      "100 000 sessions",
      { ...good, dialog: [{ type: "recording", session_id: times(many, [{ local: 1 }]) }] },
    ],
    [
      "sets of sets",
      { ...good, dialog: times(20_000, { type: "recording-set", recordings: [0, 1], recording_set: 0 }) },
    ],
    [
      "100 000 members",
      { ...good, ...Object.fromEntries([...Array(many).keys()].map((at) => [`m${at}`, null])) },
    ],
    [
      "recipients",
      { ...encryptedGood, protected: bigHeader, recipients: times(5000, { encrypted_key: "A" }) },
    ],
    [
      "signatures",
      { payload: "AAAA", signatures: times(5000, { protected: bigHeader.slice(0, 400), header: {} }) },
    ],
    ["long strings", everywhere(long)],
    ["long strings of spaces", everywhere(`x/x${" ".repeat(1_000_000)}x`)],
    ["long strings of digits", everywhere("1".repeat(1_000_000))],
    ["long strings in headers", sealed(long)],
    ["deep lists", everywhere(deepList)],
    ["deep objects", everywhere(deepObject)],
    ["deep lists in headers", sealed(deepList)],
    ["deep objects in headers", sealed(deepObject)],
    ["deep lists in signatures", signatureOf(deepList)],
    ["deep objects in signatures", signatureOf(deepObject)],
  ])("%s", (name, document) => {
    const before = performance.now();
    for (const mode of ["strict", "lenient"] as const) {
      const findings = validate(document, { mode });
      if (name !== "100 000 members") expect(findings.length).toBeGreaterThan(0);
      expect(findings.length).toBeLessThanOrEqual(100);
      expect(JSON.stringify(findings).length).toBeLessThan(100_000);
    }
    expect(performance.now() - before).toBeLessThan(5000);
  });
});

/** What the path of a finding leads to: undefined when something on the way is missing. */
function at(document: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce(
    (value: unknown, step) => (Object.hasOwn(Object(value), step) ? Object(value)[step] : undefined),
    document,
  );
}

/** A header that is missing is found by what should be in it. */
function parentOf(path: readonly (string | number)[]): readonly (string | number)[] {
  const parent = path.slice(0, -1);
  return ["header", "unprotected"].includes(String(parent.at(-1))) ? parent.slice(0, -1) : parent;
}

test("never throws, and points at what is there or at what is missing from it", () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), nonsense.value, damaged), (document) => {
      for (const mode of ["strict", "lenient"] as const) {
        for (const { path, input } of validate(document, { mode })) {
          if (path.length > 0) expect(at(document, parentOf(path))).toBeTypeOf("object");
          const value = at(document, path);
          // Paths into lists that nest too deep are cut, and then lead to a list.
          if (typeof input === "number" && !Array.isArray(value)) expect(value).toBe(input);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("lenient errors are what the reader refuses, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(nonsense.object, damaged), async (document) => {
      const errors = validate(document, { mode: "lenient" }).filter(({ severity }) => severity === "error");
      const refused = await parse(JSON.stringify(document)).then(
        () => false,
        (error: unknown) => error instanceof VconError,
      );
      const form = isObject(document) ? detectForm(document) : undefined;
      const isSealed = form === "signed" || form === "encrypted";
      // The reader also looks for the uuid within payloads.
      if (refused && isSealed) return;
      expect(errors.length > 0).toBe(refused);
    }),
    { numRuns: 1000 },
  );
});

test("lenient finds what strict finds, and fewer errors", () => {
  fc.assert(
    fc.property(damaged, (document) => {
      const strict = validate(document, { maxFindings: 10_000 });
      const lenient = validate(document, { mode: "lenient", maxFindings: 10_000 });
      const place = ({ rule, path }: { readonly rule: string; readonly path: readonly unknown[] }) =>
        [rule, ...path].join(".");
      expect(lenient.map(place)).toEqual(strict.map(place));
      const errors = new Set(strict.filter(({ severity }) => severity === "error").map(place));
      expect(
        lenient.filter((finding) => finding.severity === "error" && !errors.has(place(finding))),
      ).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("maxFindings gives the first errors, then warnings where there is room", () => {
  fc.assert(
    fc.property(damaged, fc.integer({ min: 1, max: 5 }), (document, maxFindings) => {
      const all = validate(document, { maxFindings: 10_000 });
      const few = validate(document, { maxFindings });
      const errors = all.filter(({ severity }) => severity === "error");
      expect(few).toHaveLength(Math.min(maxFindings, all.length));
      expect(few.filter(({ severity }) => severity === "error")).toEqual(errors.slice(0, maxFindings));
    }),
    { numRuns: 500 },
  );
});
