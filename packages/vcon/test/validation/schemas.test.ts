import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { encryptedVconSchema, signedVconSchema, vconSchema } from "../../src/schemas.ts";
import {
  analysis,
  attachment,
  dialog,
  encrypted,
  encryptedGood,
  good,
  history,
  party,
  redacted,
  signed,
  signedGood,
  whole,
} from "./documents.ts";

/* The schemas are for other programs: whatever JSON Schema validator they use, it agrees with `validate`. */

const ajv = new Ajv({
  strict: true,
  strictRequired: false,
  strictTypes: false,
  strictTuples: false,
  allErrors: true,
});
ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/);
ajv.addFormat("uuid", /^[\da-f-]{36}$/i);
ajv.addFormat("uri", /^[a-z]+:/i);
const schemas = {
  unsigned: ajv.compile(vconSchema),
  signed: ajv.compile(signedVconSchema),
  encrypted: ajv.compile(encryptedVconSchema),
};

describe("accept", () => {
  test.each([
    ["unsigned", good],
    ["unsigned", whole({ unknown: 1 })],
    ["unsigned", redacted({})],
    ["signed", signedGood],
    ["encrypted", encryptedGood],
  ] as const)("%s %#", (form, document) => {
    schemas[form](document);
    expect(schemas[form].errors ?? []).toEqual([]);
  });
});

describe("refuse", () => {
  test.each([
    ["unsigned", whole({ uuid: undefined })],
    ["unsigned", whole({ created_at: undefined })],
    ["unsigned", whole({ created_at: "yesterday" })],
    ["unsigned", whole({ vcon: "0.0.2" })],
    ["unsigned", whole({ parties: {} })],
    ["unsigned", party({ name: 1 })],
    ["unsigned", dialog(1, { type: "video" })],
    ["unsigned", dialog(1, { type: undefined })],
    ["unsigned", dialog(1, { encoding: undefined })],
    ["unsigned", dialog(1, { mediatype: undefined })],
    ["unsigned", dialog(2, { disposition: undefined })],
    ["unsigned", dialog(4, { parties: [0] })],
    ["unsigned", dialog(0, { content_hash: undefined })],
    ["unsigned", dialog(0, { parties: "0" })],
    ["unsigned", history({ event: "sneeze" })],
    ["unsigned", history({ button: undefined })],
    ["unsigned", analysis({ vendor: undefined })],
    ["unsigned", attachment({ party: undefined })],
    ["unsigned", redacted({ type: undefined })],
    ["signed", { ...signedGood, payload: undefined }],
    ["signed", signed({ signature: undefined })],
    ["encrypted", encrypted({ tag: undefined })],
  ] as const)("%s %#", (form, document) => {
    expect(schemas[form](JSON.parse(JSON.stringify(document)))).toBe(false);
  });
});
