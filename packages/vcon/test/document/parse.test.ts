import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JsonObject, parse, toText, toValue, Vcon, withContent } from "../../src/index.ts";

const text =
  '{"uuid":"019daf60-0b52-8b85-b708-0d221ebaf96f","vcon":"0.4.0","created_at":"2026-04-21T09:30:00Z","parties":[{"name":"Ann"}]}';

async function unsigned(input: Parameters<typeof parse>[0]) {
  const document = await parse(input);
  if (document.state !== "unsigned") throw new Error(`It is ${document.state}.`);
  return document;
}

describe("reads", () => {
  test.each([
    ["text", text],
    ["text with a byte order mark", `\uFEFF${text}`],
    ["bytes", new TextEncoder().encode(text)],
    ["bytes with a byte order mark", new TextEncoder().encode(`\uFEFF${text}`)],
    ["gzip", new Uint8Array(gzipSync(text))],
    ["an object", JSON.parse(text)],
  ])("%s", async (_name, input) => {
    const document = await unsigned(input);
    expect(document).toMatchObject({
      uuid: "019daf60-0b52-8b85-b708-0d221ebaf96f",
      vcon: { parties: [{ name: "Ann" }] },
    });
    expect(toText(document)).toBe(text);
  });

  test("every version, brought to the newest; what was given is untouched", async () => {
    for (const version of ["0.0.1", "0.0.2", "0.3.0", "0.4.0"]) {
      const given = { ...JSON.parse(text), vcon: version };
      const before = structuredClone(given);
      const document = await Vcon.parse(given);
      expect(document).toMatchObject({
        state: "unsigned",
        vcon: { vcon: "0.4.0" },
        source: { value: before },
      });
      expect(given).toEqual(before);
    }
  });

  test("the three forms; what is sealed has no content", async () => {
    const signed = await parse('{"payload":"e30","signatures":[{"signature":"AAAA"}],"uuid":"u"}');
    expect(signed).toMatchObject({ state: "unverified", uuid: "u" });
    expect(signed).not.toHaveProperty("vcon");
    const encrypted = await parse('{"ciphertext":"AAAA","recipients":[{}]}');
    expect(encrypted).toMatchObject({ state: "encrypted", uuid: undefined });
    expect(encrypted).not.toHaveProperty("vcon");
  });

  test("a vCon without a uuid gets one, where a domain is given", async () => {
    await expect(parse('{"parties":[]}')).rejects.toMatchObject({ code: "no_uuid" });
    const document = await parse('{ "parties":[ ] }', { domain: "example.com" });
    expect(document.uuid).toMatch(/^[\da-f-]{36}$/);
    expect(toText(document)).toMatch(/^\{ "parties":\[ \], ?"uuid": ?"[\da-f-]{36}"/);
  });
});

test.each<readonly [string, Parameters<typeof parse>[0], string]>([
  ["no JSON", "{", "not_json"],
  ["no UTF-8", new Uint8Array([0x7b, 0xff, 0xfe]), "not_json"],
  ["nothing", "", "not_json"],
  ["damaged gzip", new Uint8Array(gzipSync(text)).slice(0, 40), "not_json"],
  ["a list", "[]", "not_a_vcon"],
  ["null", "null", "not_a_vcon"],
  ["no vCon", '{"a":1}', "not_a_vcon"],
  ["too deep", `{"uuid":"u","parties":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "too_deep"],
  ["a version of the future", '{"uuid":"u","vcon":"7.0","parties":[]}', "unsupported_version"],
])("refuses %s", async (_name, input, code) => {
  await expect(parse(input)).rejects.toMatchObject({ code, message: expect.not.stringContaining("\n") });
});

function nested(depth: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 1; level < depth; level += 1) value = { value };
  return value;
}

function circular(): JsonObject {
  const value: { uuid: string; parties: []; self?: JsonObject } = { uuid: "u", parties: [] };
  return Object.assign(value, { self: value });
}

test.each<readonly [string, () => unknown, string]>([
  ["too deep", () => ({ ...nested(65), uuid: "u", parties: [] }), "too_deep"],
  ["far too deep", () => ({ ...nested(200_000), uuid: "u", parties: [] }), "too_deep"],
  ["in a circle", circular, "not_json"],
  ["with a number that JSON has not", () => ({ uuid: "u", parties: [], big: 5n }), "not_json"],
  ["null", () => null, "not_a_vcon"],
  ["undefined", () => undefined, "not_a_vcon"],
])("refuses an object that is %s", async (_name, make, code) => {
  // @ts-expect-error: for callers without types
  await expect(parse(make())).rejects.toMatchObject({
    name: "VconError",
    code,
    message: expect.not.stringContaining("\n"),
  });
});

test("nests as deep as is allowed, and no deeper", async () => {
  const deep = { ...nested(64), uuid: "u", parties: [] };
  expect((await parse(deep)).state).toBe("unsigned");
  await expect(parse(deep, { maxDepth: 63 })).rejects.toMatchObject({ code: "too_deep" });
});

test("gzip does not grow without end", async () => {
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(5_000_000, 0x20)));
  await expect(parse(bomb, { maxBytes: 1_000_000 })).rejects.toThrow(/1000000 bytes|1 ?MB|larger|more than/i);
});

/** JSON text as anybody might write it: spaces, long numbers, escapes, names in any order. */
const jsonText: fc.Memo<string> = fc.memo((depth) => {
  const space = fc.constantFrom("", " ", "\n  ", "\t");
  const number = fc.constantFrom(
    "0",
    "-0",
    "1.0",
    "1e400",
    "12345678901234567890",
    "0.1e-7",
    "1E+2",
    "-1.50",
  );
  const string = fc.string({ unit: "binary-ascii", maxLength: 6 }).map((value) => JSON.stringify(value));
  const scalar = fc.oneof(
    number,
    string,
    fc.constantFrom("true", "false", "null", '"\\u0041\\/"', '"é😀"', '"\\ud800"'),
  );
  if (depth <= 1) return scalar;
  const inner = jsonText(depth - 1);
  const list = fc
    .array(
      fc.tuple(space, inner, space).map((parts) => parts.join("")),
      { maxLength: 3 },
    )
    .map((items) => `[${items.join(",")}]`);
  return fc.oneof(scalar, list, objectText(inner, space));
});

function objectText(inner: fc.Arbitrary<string>, space: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const name = fc.constantFrom(
    '"a"',
    '"2"',
    '"1"',
    '"__proto__"',
    '"constructor"',
    '"\\u0062"',
    '""',
    '"x y"',
  );
  const entry = fc
    .tuple(space, name, space, inner, space)
    .map(([a, key, b, value, c]) => [key, `${a}${key}${b}:${value}${c}`] as const);
  return fc
    .uniqueArray(entry, { selector: ([key]) => key, maxLength: 4 })
    .map((entries) => `{${entries.map(([, body]) => body).join(",")}}`);
}

const space = fc.constantFrom("", " ", "\n");
const documentText = fc
  .tuple(space, objectText(jsonText(3), space), space)
  .map(
    ([a, members, b]) =>
      `${a}{"uuid":"u","parties":[ {"name":"Ann","x":1.0} ]${members === "{}" ? "" : `,${members.slice(1, -1)}`}}${b}`,
  );

describe("round trip", () => {
  test("every member, order, number and space stays", async () => {
    await fc.assert(
      fc.asyncProperty(documentText, async (given) => {
        const document = await unsigned(given);
        // Brought to the newest version, the document keeps the spelling of what did not change.
        const written = toText(document);
        expect(JSON.parse(written)).toEqual(toValue(document));
        for (const number of given.match(/12345678901234567890|1e400|-1\.50/g) ?? [])
          expect(written).toContain(number);
      }),
      { numRuns: 300 },
    );
  });

  test("what a migration renames keeps its spelling too", async () => {
    await fc.assert(
      fc.asyncProperty(jsonText(3), jsonText(2), async (transcript, target) => {
        const written = toText(
          await unsigned(`{"uuid":"u","vcon":"0.0.1","parties":[],"dialog":[{"n":-0,"transfer-target":${target}}],
            "analysis":[{"type":"transcript","transcript":${transcript},"1":1.0}]}`),
        );
        expect(written).toContain(`"transfer_target":${target}`);
        expect(written).toContain(`"body":${transcript}`);
        expect(written).toContain('"1":1.0');
        expect(written).toContain('"n":-0');
      }),
      { numRuns: 300 },
    );
  });

  test("a document of the newest version comes out byte for byte", async () => {
    await fc.assert(
      fc.asyncProperty(documentText, async (given) => {
        const newest = given.replace(
          '{"uuid"',
          '{"vcon":"0.4.0" , "created_at":"2026-04-21T09:30:00Z","uuid"',
        );
        expect(toText(await unsigned(newest))).toBe(newest);
      }),
      { numRuns: 300 },
    );
  });

  test("a change leaves the rest as it was spelled", async () => {
    await fc.assert(
      fc.asyncProperty(documentText, async (given) => {
        const newest = given.replace(
          '{"uuid"',
          '{"vcon":"0.4.0" , "created_at":"2026-04-21T09:30:00Z","uuid"',
        );
        const document = await unsigned(newest);
        const changed = toText(withContent(document, { ...document.vcon, subject: "new" }));
        expect(changed.replace(/,\s*"subject":\s*"new"/, "")).toBe(newest);
      }),
      { numRuns: 300 },
    );
  });

  const data = new URL("../../../../../shared/data/", import.meta.url);
  const samples = new URL("../../../../examples/conversations/", import.meta.url);

  test("of every sample", async () => {
    for (const name of readdirSync(samples).filter((each) => each.endsWith(".json"))) {
      await keepsEverything(readFileSync(new URL(name, samples), "utf8"), name);
    }
  });

  const present = existsSync(data);
  if (!present) console.warn("Skipped: the reference data (../shared/data beside the checkout) is not here.");

  test.skipIf(!present)("of every file of the working group and the reference", async () => {
    const names = ["ietf-examples", "reference"].flatMap((folder) =>
      readdirSync(new URL(`${folder}/`, data))
        .filter((name) => name.endsWith(".vcon"))
        .map((name) => `${folder}/${name}`),
    );
    expect(names.length).toBeGreaterThan(15);
    for (const name of names.filter((each) => !each.includes("simple-vcon")))
      await keepsEverything(readFileSync(new URL(name, data), "utf8"), name);
  });

  async function keepsEverything(given: string, name: string): Promise<void> {
    const document = await parse(given, { domain: "example.com" });
    if (document.state !== "unsigned") return expect(toText(document), name).toBe(given);
    const hadUuid = JSON.parse(given).uuid !== undefined;
    if (hadUuid) expect(document.source.text, name).toBe(given);
    const { value } = document.source;
    expect(JSON.parse(toText(document)), name).toEqual(document.vcon);
    if (document.vcon === value && hadUuid) expect(toText(document), name).toBe(given);
  }
});
