import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { VconError } from "../../src/document/errors.ts";
import { migrate } from "../../src/document/migrate.ts";
import { readVcon } from "../../src/document/read.ts";
import { validate } from "../../src/validation/validate.ts";
import { analysis, attachment, dialog, good, history, party, whole } from "./documents.ts";

/* Real files stray from the draft in many ways. Read leniently, they are usable all the same. */

function errors(document: unknown): readonly string[] {
  return validate(document, { mode: "lenient", maxFindings: 10_000 })
    .filter(({ severity }) => severity === "error")
    .map(({ rule, path }) => `${rule} at ${path.join(".")}`);
}

describe("what real files do wrong is a warning", () => {
  test.each([
    ["redacted is empty", whole({ redacted: {} }), "empty-reference"],
    ["amended is empty", whole({ amended: {} }), "empty-reference"],
    ["appended is null", whole({ appended: null }), "renamed-member"],
    ["group is empty", whole({ group: [] }), "removed-member"],
    ["an old version", whole({ vcon: "0.0.1" }), "version-old"],
    ["attachment without start", attachment({ start: undefined }), "attachment-member-missing"],
    ["attachment without party", attachment({ party: undefined }), "attachment-member-missing"],
    ["attachment without dialog", attachment({ dialog: undefined }), "attachment-member-missing"],
    ["attachment with type", attachment({ purpose: undefined, type: "tags" }), "purpose-not-named"],
    ["attachment body is no text", attachment({ encoding: "none", body: ["a:b"] }), "body-not-text"],
    ["mimetype", dialog(1, { mediatype: undefined, mimetype: "text/plain" }), "renamed-member"],
    ["no encoding", dialog(1, { encoding: undefined }), "encoding-missing"],
    ["no content_hash", dialog(0, { content_hash: undefined }), "content-hash-missing"],
    ["type video", dialog(0, { type: "video" }), "dialog-type"],
    ["analysis body is no text", analysis({ encoding: "none" }), "body-not-text"],
    ["analysis without vendor", analysis({ vendor: undefined }), "vendor-missing"],
    ["JSON within JSON", analysis({ body: '{"a":1}' }), "body-json-text"],
    ["a date without zone", dialog(0, { start: "2026-04-21T09:00:00" }), "date"],
    ["a date of e-mail", dialog(0, { start: "Tue, 21 Apr 2026 09:00:00 +0000" }), "date"],
    ["seconds since 1970", whole({ created_at: 1_772_618_400 }), "wrong-type"],
    ["no created_at", whole({ created_at: undefined }), "created-at-missing"],
    ["parties is -1", dialog(1, { parties: -1 }), "parties-form"],
    ["one of parties is -1", dialog(2, { parties: [0, -1] }), "parties-form"],
    ["padded base64", attachment({ body: "SGkh/+==" }), "body-base64url"],
    ["lists in transfers", dialog(4, { original: [0], target_dialog: [2] }), "wrong-type"],
    ["an empty dialog", { ...good, dialog: [...good.dialog, {}] }, "dialog-type-missing"],
    ["session_id is text", dialog(0, { session_id: "0".repeat(32) }), "session-id"],
    ["a history without party", history({ party: undefined }), "party-history-member-missing"],
    ["null members", party({ tel: null, name: null }), "null-member"],
    ["an index too large", dialog(1, { parties: 9 }), "index-range"],
  ])("%s", (_name, document, rule) => {
    expect(errors(document)).toEqual([]);
    const severities = validate(document, { mode: "lenient" }).flatMap((finding) =>
      finding.rule === rule ? [finding.severity] : [],
    );
    expect(severities).toContain("warning");
  });

  test.each([
    ["no vcon", whole({ vcon: undefined })],
    ["metadata at the top", whole({ meta: { a: 1 }, metadata: {}, tags: ["x"] })],
    ["a date with an offset and a fraction", dialog(0, { start: "2026-04-21T09:00:00.123+02:00" })],
    ["an unused channel", dialog(0, { parties: [[0], null], session_id: [[{}], {}], originator: 1 })],
  ])("or nothing at all: %s", (_name, document) => {
    expect(errors(document)).toEqual([]);
    expect(validate(document).filter(({ severity }) => severity === "error")).toEqual([]);
  });
});

/* The working group's and the reference library's own files. They are not part of this project. */
const data = new URL("../../../../../shared/data/", import.meta.url);
const present = existsSync(data);
if (!present) console.warn("Skipped: the reference data (../shared/data beside the checkout) is not here.");

const samples = new URL("../../../../examples/conversations/", import.meta.url);

function files(folder: URL, ending: string): readonly (readonly [name: string, text: string])[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => [name, readFileSync(new URL(name, folder), "utf8")]);
}

function refusal(text: string): string | undefined {
  try {
    readVcon(text);
    return undefined;
  } catch (error) {
    if (error instanceof VconError) return error.code;
    throw error;
  }
}

test.skipIf(!present)("reference files are usable as they are, and after migration", () => {
  const all = files(data, ".vcon");
  expect(all.length).toBeGreaterThan(15);
  const usable = all.filter(([, text]) => refusal(text) === undefined);
  expect(usable.length).toBeGreaterThan(all.length - 5);
  for (const [name, text] of usable) {
    expect(errors(JSON.parse(text)), name).toEqual([]);
    expect(errors(migrate(readVcon(text).value)), name).toEqual([]);
  }
});

test.skipIf(!present)("reference files that cannot be read say why", () => {
  const rules = new Map([
    ["not_a_vcon", "form at "],
    ["no_uuid", "uuid-missing at uuid"],
  ]);
  for (const [name, text] of files(data, ".vcon")) {
    const code = refusal(text);
    if (code !== undefined) expect(errors(JSON.parse(text)), name).toEqual([rules.get(code)]);
  }
});

test("our own samples have no errors; the old one only what no migration can know", () => {
  const all = files(samples, ".vcon.json");
  expect(all.length).toBeGreaterThan(2);
  for (const [name, text] of all) {
    const { value, version } = readVcon(text);
    expect(errors(JSON.parse(text)), name).toEqual([]);
    const broken = validate(migrate(value)).flatMap(({ severity, rule }) =>
      severity === "error" ? [rule] : [],
    );
    expect([...new Set(broken)], name).toEqual(version === "0.0.1" ? ["attachment-member-missing"] : []);
  }
});
