import fc from "fast-check";
import { Type } from "typebox";
import { describe, expect, it } from "vitest";
import { builtin } from "../../src/processors/builtin/index.ts";
import { defineProcessor } from "../../src/processors/define.ts";
import { checkDefinitionOptions, optionsComponent, validateOptions } from "../../src/processors/options.ts";
import { maskSecrets, resolveSecrets } from "../../src/processors/options-secrets.ts";
import { thrown } from "./thrown.ts";

const sample = defineProcessor({
  name: "sample",
  title: "Sample",
  description: "For tests.",
  version: "1.0.0",
  options: Type.Object({
    count: Type.Integer(),
    ratio: Type.Number({ default: 0.5 }),
    flag: Type.Boolean({ default: false }),
    names: Type.Array(Type.String(), { default: [] }),
    select: Type.Union([Type.String(), Type.Array(Type.Integer())], { default: "" }),
    limit: Type.Union([Type.Integer(), Type.Null()], { default: null }),
    nested: Type.Optional(
      Type.Object({ deep: Type.Boolean(), key: Type.Optional(Type.String({ writeOnly: true })) }),
    ),
    api_key: Type.Optional(Type.String({ writeOnly: true })),
    keys: Type.Optional(Type.Array(Type.String(), { writeOnly: true })),
  }),
  process: (io) => io,
});

const defaults = {
  label: "",
  notes: "",
  input_vcon_index: 0,
  should_process: true,
  format_options: {},
  ratio: 0.5,
  flag: false,
  names: [],
  select: "",
  limit: null,
};

function findings(raw: unknown, loc?: readonly string[]) {
  const error = thrown(() => validateOptions(sample, raw, loc === undefined ? {} : { loc }));
  expect(error.code).toBe("invalid_options");
  return error.detail;
}

describe("validateOptions", () => {
  it("fills defaults in, keeps unknown options, and leaves the given ones alone", () => {
    const raw = { count: 1, comment: { any: "thing" } };
    expect(validateOptions(sample, raw)).toEqual({ ...defaults, ...raw });
    expect(raw).toEqual({ count: 1, comment: { any: "thing" } });
  });

  it("turns text into numbers and booleans", () => {
    const raw = {
      count: " 12 ",
      ratio: "-1.5e2",
      flag: "True",
      select: "1",
      limit: "7",
      input_vcon_index: "0",
      nested: { deep: "off" },
    };
    expect(validateOptions(sample, raw)).toMatchObject({
      count: 12,
      ratio: -150,
      flag: true,
      select: "1",
      limit: 7,
      input_vcon_index: 0,
      nested: { deep: false },
    });
    expect(validateOptions(sample, { count: "3.0", select: [1, 2] })).toMatchObject({
      count: 3,
      select: [1, 2],
    });
  });

  it.each([
    ...["true", "t", "yes", "y", "on", "1", "True", "YES", 1, true].map((given) => [given, true] as const),
    ...["false", "f", "no", "n", "off", "0", "False", "OFF", 0, false].map(
      (given) => [given, false] as const,
    ),
  ])("should_process %o is %o", (given, expected) => {
    expect(validateOptions(sample, { count: 1, should_process: given }).should_process).toBe(expected);
  });

  it.each([null, 4, -1, "maybe", "", [], {}, "None"])("should_process %o is refused", (given) => {
    expect(findings({ count: 1, should_process: given })).toMatchObject([
      { loc: ["should_process"], type: expect.stringMatching(/^bool_/), input: given },
    ]);
  });

  it("takes the default for null where there is one", () => {
    const raw = { count: 1, label: null, ratio: null, format_options: null, names: null };
    expect(validateOptions(sample, raw)).toEqual({ ...defaults, count: 1 });
  });

  it("names everything that is wrong, with its place", () => {
    const raw = {
      ratio: "x",
      names: ["a", 7],
      nested: { deep: "perhaps" },
      label: 5,
      format_options: { a: 1 },
    };
    expect(findings(raw, ["body", "processors"])).toEqual(
      expect.arrayContaining([
        { type: "missing", loc: ["body", "processors", "count"], msg: "Field required", input: raw },
        {
          type: "float_parsing",
          loc: ["body", "processors", "ratio"],
          msg: "Input should be a valid number, unable to parse string as a number",
          input: "x",
        },
        {
          type: "string_type",
          loc: ["body", "processors", "names", 1],
          msg: "Input should be a valid string",
          input: 7,
        },
        {
          type: "bool_parsing",
          loc: ["body", "processors", "nested", "deep"],
          msg: "Input should be a valid boolean, unable to interpret input",
          input: "perhaps",
        },
        {
          type: "string_type",
          loc: ["body", "processors", "label"],
          msg: "Input should be a valid string",
          input: 5,
        },
        {
          type: "string_type",
          loc: ["body", "processors", "format_options", "a"],
          msg: "Input should be a valid string",
          input: 1,
        },
      ]),
    );
  });

  it.each([["text"], [null], [[]], [undefined]])("%o are no options", (raw) => {
    expect(findings(raw)).toEqual([
      { type: "dict_type", loc: [], msg: "Input should be a valid dictionary", input: raw },
    ]);
  });

  it("does not take text for a list, numbers for text, or half a number", () => {
    expect(findings({ count: 1, names: "a" })).toMatchObject([{ type: "list_type" }]);
    expect(findings({ count: 1.5 })).toMatchObject([{ type: "int_type" }]);
    expect(findings({ count: "1.5" })).toMatchObject([{ type: "int_parsing" }]);
    expect(findings({ count: 1, input_vcon_index: -1 })).toMatchObject([{ loc: ["input_vcon_index"] }]);
  });

  it("never shows a secret", () => {
    const raw = { api_key: "hidden-1", keys: ["hidden-2"], nested: { deep: true, key: "hidden-3" } };
    const error = thrown(() =>
      validateOptions(sample, { ...raw, keys: [...raw.keys, 7], api_key: ["hidden-1"] }),
    );
    expect(JSON.stringify([error.detail, error.message])).not.toContain("hidden");
  });

  it("accepts or names, whatever it is given", () => {
    const names = [
      "count",
      "ratio",
      "flag",
      "names",
      "select",
      "limit",
      "nested",
      "should_process",
      "format_options",
      "__proto__",
    ];
    const anything = fc.dictionary(fc.constantFrom(...names), fc.jsonValue());
    fc.assert(
      fc.property(anything, (raw) => {
        try {
          expect(typeof validateOptions(sample, raw).should_process).toBe("boolean");
        } catch (error) {
          expect(error).toMatchObject({ code: "invalid_options" });
        }
      }),
    );
  });
});

describe("checkDefinitionOptions", () => {
  it("lets format_options give an option its value later", () => {
    checkDefinitionOptions(sample, { format_options: { count: "{n}" } });
    checkDefinitionOptions(sample, { count: "{n}", format_options: { count: "{n}" } });
    expect(
      thrown(() => checkDefinitionOptions(sample, { format_options: { ratio: "{n}" } })).detail,
    ).toMatchObject([{ type: "missing", loc: ["count"] }]);
  });

  it("names templates that are malformed", () => {
    const raw = { count: 1, format_options: { label: "{a.b}", notes: 5 } };
    const { detail } = thrown(() => checkDefinitionOptions(sample, raw, { loc: ["body"] }));
    expect(detail).toMatchObject([
      { type: "string_type", loc: ["body", "format_options", "notes"] },
      { type: "template", loc: ["body", "format_options", "label"], input: "{a.b}" },
    ]);
  });
});

describe("optionsComponent", () => {
  it("is named after the processor and holds common and own options", () => {
    const names = builtin.map((processor) => optionsComponent(processor).name);
    expect(names).toEqual(
      expect.arrayContaining(["ConversationStatsOptions", "JqOptions", "QueueJobOptions"]),
    );
    expect(optionsComponent(sample).schema).toMatchObject({
      type: "object",
      required: ["count"],
      properties: { should_process: { type: "boolean", default: true }, count: { type: "integer" } },
    });
  });
});

describe("secrets", () => {
  it("are masked wherever they are, references are not", () => {
    const raw = {
      count: 1,
      api_key: "hidden",
      keys: ["hidden", "secret:B"],
      nested: { deep: true, key: "secret:A" },
    };
    expect(maskSecrets(sample, raw)).toEqual({
      count: 1,
      api_key: "********",
      keys: ["********", "secret:B"],
      nested: { deep: true, key: "secret:A" },
    });
    expect(raw.api_key).toBe("hidden");
  });

  it("are put in place of references in writeOnly options only", () => {
    const raw = {
      count: 1,
      label: "secret:A",
      api_key: "secret:A",
      keys: ["plain"],
      nested: { deep: true, key: "secret:A" },
    };
    const { options, secrets } = resolveSecrets(
      sample,
      validateOptions(sample, raw),
      (name) => `value of ${name}`,
    );
    expect(options).toMatchObject({
      label: "secret:A",
      api_key: "value of A",
      nested: { key: "value of A" },
    });
    expect(secrets.toSorted()).toEqual(["plain", "value of A", "value of A"]);
  });

  it("are named when the server has none", () => {
    const options = validateOptions(sample, { count: 1, api_key: "secret:NOPE" });
    expect(thrown(() => resolveSecrets(sample, options, () => undefined))).toMatchObject({
      code: "invalid_options",
      message: "processor: sample needs the secret NOPE, which is not set",
    });
  });
});
