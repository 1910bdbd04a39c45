import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { rewrite } from "@vconductor/vcon";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApi, type TestApi } from "./start-api.ts";

// What was stored comes back: the same text, so the same members, order and numbers.

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

async function roundTrip(text: string, uuid: string): Promise<string> {
  const stored = await api.call("POST", "/vcon", { body: text });
  expect(stored.status, stored.text).toBe(204);
  return (await api.call("GET", `/vcon/${encodeURIComponent(uuid)}`)).text;
}

const shared = join(import.meta.dirname, "../../../../../shared/data");

/** Files there that are no vCon, or have no uuid to be stored under. */
const unfit = new Set(["simple-vcon.vcon", "ab.vcon", "pre_0.0.1_vcon_trans.vcon"]);

describe.skipIf(!existsSync(shared))(
  "the public examples (skipped where ../shared/data is not there)",
  () => {
    const files = ["ietf-examples", "reference"].flatMap((folder) =>
      existsSync(join(shared, folder))
        ? readdirSync(join(shared, folder))
            .filter((name) => name.endsWith(".vcon") && !unfit.has(name))
            .map((name) => join(folder, name))
        : [],
    );
    test.each(files)("%s", async (file) => {
      const text = readFileSync(join(shared, file), "utf8");
      const stored = await api.call("POST", "/vcon", { body: text });
      expect(stored.status, stored.text).toBe(204);
      const location = stored.headers.get("location") ?? "";
      expect((await api.call("GET", location)).text).toBe(text);
    });
  },
);

const number = fc.constantFrom(
  "0",
  "-0",
  "1.0",
  "1.50",
  "1e400",
  "-1E-7",
  "12345678901234567890",
  "0.1000",
  "3",
);
const string = fc.oneof(
  fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\u0000"', '"\\ud800"', '"\\/"', '"\\u00e9"', '"é\u2028"'),
);
const key = fc.oneof(string, fc.constantFrom('"__proto__"', '"10"', '"9"', '"a"', '"a"'));
const blank = fc.constantFrom("", " ", "\n  ", "\t");

/** JSON texts, with everything in them that a parser would make alike. */
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    number,
    string,
    fc.constantFrom("true", "false", "null"),
    fc
      .tuple(fc.array(tie("json"), { maxLength: 4 }), blank)
      .map(([items, gap]) => `[${items.join(`,${gap}`)}${gap}]`),
    fc
      .tuple(fc.array(fc.tuple(key, tie("json")), { maxLength: 4 }), blank)
      .map(([members, gap]) => `{${members.map(([name, one]) => `${gap}${name}:${gap}${one}`).join(",")}}`),
  ),
}));

test("generated documents come back as they were", async () => {
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(key, json), { maxLength: 5 }), blank, async (members, gap) => {
      const uuid = `generated-${n++}`;
      const extra = members.map(([name, one]) => `,${gap}${name}: ${one}`).join("");
      // What the model has names for is not left to chance: those members have rules of their own.
      const text = `{"uuid": "${uuid}",${gap}"parties":[],"x":{"y":1.0}${extra}}`;
      expect(await roundTrip(text, uuid)).toBe(text);
    }),
    { seed: 7, numRuns: 150 },
  );
});

test("a pipeline leaves the text of what it does not touch as it was", async () => {
  const text =
    '{ "uuid": "touched", "10": 1.0, "9": 12345678901234567890,\n "parties": [ {"name": "A\\u0000"} ], "z": {"b":1e400, "a": [1.50] } }';
  await roundTrip(text, "touched");
  const options = { tags: ["seen"] };
  const run = await api.call("POST", "/process/touched/tag?commit_changes=true", { body: options });
  expect(run.status, run.text).toBe(200);
  const after = (await api.call("GET", "/vcon/touched")).text;
  expect(after).toContain('"10": 1.0, "9": 12345678901234567890,\n "parties": [ {"name": "A\\u0000"} ]');
  expect(after).toContain('"z": {"b":1e400, "a": [1.50] }');
  expect(JSON.parse(after).attachments).toHaveLength(1);
  expect(rewrite({ text: after, original: JSON.parse(after), changed: JSON.parse(after) })).toBe(after);
});
