import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { detectForm } from "../../src/document/form.ts";
import { isObject } from "../../src/document/json.ts";
import type { JsonValue } from "../../src/document/types.ts";
import { encryptedVconSchema, signedVconSchema, vconSchema } from "../../src/schemas.ts";
import { isDate, UUID } from "../../src/validation/patterns.ts";
import { validate } from "../../src/validation/validate.ts";
import { essential, must, should } from "./broken-documents.ts";
import { encryptedGood, good, redacted, signedGood, whole } from "./documents.ts";
import { damaged } from "./generated.ts";
import { validDocument } from "./valid-documents.ts";

/* The schemas are for other programs: whatever JSON Schema validator they use, it agrees with `validate`. */

const ajv = new Ajv({ strict: true, allErrors: true });
ajv.addFormat("date-time", isDate);
ajv.addFormat("uuid", UUID);
const schemas = {
  unsigned: ajv.compile(vconSchema),
  signed: ajv.compile(signedVconSchema),
  encrypted: ajv.compile(encryptedVconSchema),
};

/** What a schema cannot say, or only at length: how members far apart go together, and what is within encoded text. */
const beyondSchemas = new Set([
  "renamed-member",
  "own-uuid",
  "civicaddress-case",
  "index-range",
  "transfer-reference",
  "recordings-type",
  "recording-set-type",
  "recording-set-contradicted",
  "content-hash-length",
  "body-base64url",
  "protected-header",
  "header-contradiction",
  "signature-algorithm-missing",
  "certificate-missing",
  "encryption-missing",
  "key-encryption-missing",
]);

function plain(document: unknown): JsonValue {
  return JSON.parse(JSON.stringify(document));
}

function refusals(document: JsonValue): readonly string[] {
  const form = (isObject(document) ? detectForm(document) : undefined) ?? "unsigned";
  schemas[form](document);
  return (schemas[form].errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function errorRules(document: JsonValue): readonly string[] {
  return validate(document).flatMap(({ severity, rule }) => (severity === "error" ? [rule] : []));
}

test.each([
  good,
  signedGood,
  encryptedGood,
  whole({ unknown: 1 }),
  redacted({}),
  whole({ parties: undefined, dialog: [], analysis: undefined, attachments: undefined }),
])("what is good is accepted: %#", (document) => {
  expect(refusals(plain(document))).toEqual([]);
});

describe("what breaks a rule is refused when the rule is of the draft, and accepted when it is advice", () => {
  const cases = [...essential, ...must, ...should].map(([rule, document, path]) => ({
    rule,
    document,
    path,
  }));
  test.each(cases)("$rule at $path", ({ rule, document }) => {
    const errors = errorRules(plain(document));
    const expected = errors.some((broken) => !beyondSchemas.has(broken));
    expect(refusals(plain(document)).length > 0, rule).toBe(expected);
  });
});

test("what a schema refuses, validate finds errors in", () => {
  fc.assert(
    fc.property(damaged, (document) => {
      if (refusals(document).length > 0) expect(errorRules(document)).not.toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

test("valid documents are accepted by both", () => {
  fc.assert(
    fc.property(validDocument, (document) => {
      expect(refusals(plain(document))).toEqual([]);
      expect(errorRules(plain(document))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
