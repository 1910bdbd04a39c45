import { describe, expect, test } from "vitest";
import { processorDocs } from "../../../../scripts/processor-docs.ts";
import { builtin } from "../../src/processors/builtin/index.ts";
import { toProcessors } from "../../src/processors/plugin.ts";
import { runProcessor } from "../processors/run-processor.ts";
import { expectations, sample } from "./processor-examples.ts";

describe("the processors' documentation", () => {
  test("every built-in processor has an example", () => {
    expect(builtin.filter(({ example }) => example === undefined).map(({ name }) => name)).toEqual([]);
  });

  test("every option is described", () => {
    const bare = builtin.flatMap(({ name, options }) =>
      Object.entries(options.properties)
        .filter(([, schema]) => !("title" in schema && "description" in schema))
        .map(([option]) => `${name}.${option}`),
    );
    expect(bare).toEqual([]);
  });

  test("no example is expected of a processor that there is not", () => {
    const names = new Set(builtin.map(({ name }) => name));
    expect(Object.keys(expectations).filter((name) => !names.has(name))).toEqual([]);
  });

  test.each(builtin.map((processor) => ({ processor, name: processor.name })))(
    "the example of $name does what it should",
    async ({ processor, name }) => {
      const given = expectations[name];
      if (given === undefined)
        throw new Error(`add ${name} to packages/server/test/docs/processor-examples.ts`);
      const {
        env = {},
        parameters = {},
        vcon = sample(),
        ...expected
      } = typeof given === "function" ? await given() : given;
      const options = { ...processor.example?.options, ...expected.options };
      const running = runProcessor({ processor: name, options, vcons: [vcon], parameters, env });
      if (expected.fails !== undefined) {
        await expect(running).rejects.toThrow(expected.fails);
        return;
      }
      const ran = await running;
      expect.hasAssertions();
      await expected.expect?.(ran);
    },
  );

  test("is Markdown, whatever the definitions hold", () => {
    const text = processorDocs(
      toProcessors({
        name: "odd.One",
        title: "A <b> | B",
        description: "Takes a*b, `a|b` and [x](y).\nSecond line.",
        version: "1.2.3",
        options: {
          type: "object",
          required: ["mode", "key"],
          properties: {
            mode: { type: "string", enum: ["a|b", "c"], description: "One | other." },
            key: { type: "string", writeOnly: true, default: "hidden default", description: "Of the door." },
            share: { type: "number", minimum: 0, exclusiveMaximum: 1, description: "A share." },
            rules: {
              type: "array",
              default: [],
              description: "In order.",
              items: { type: "object", required: ["to"], properties: { to: { type: ["string", "null"] } } },
            },
          },
        },
        example: { about: "Opens a|b.", options: { mode: "a|b", key: "in the open" } },
        process: (io: unknown) => io,
      }),
    );
    const rows = text.slice(text.indexOf("## odd.One")).split("\n");
    expect(rows).toEqual(
      expect.arrayContaining([
        "**A \\<b> \\| B** (version 1.2.3). Takes a\\*b, `a\\|b` and \\[x\\](y). Second line.",
        '| `mode` | `"a\\|b" or "c"` | required | One \\| other. |',
        "| `key` | `string` | none | *Secret.* Of the door. |",
        "| `share` | `number from 0, less than 1` | none | A share. |",
        "| `rules` | `list of objects` | `[]` | In order. |",
        "| `rules[].to` | `string or null` | required |  |",
        "Opens a\\|b.",
        '    "mode": "a|b",',
        '    "key": "********"',
      ]),
    );
    expect(text).toContain("| A \\<b> \\| B | [`odd.One`](#oddone) | `key` |");
    expect(text).not.toMatch(/hidden default|in the open/);
  });
});
