import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { addTags, defineFilter } from "../src/index.ts";

test("the package runs in a browser: it imports nothing but itself", () => {
  const folder = new URL("../src/", import.meta.url);
  for (const name of readdirSync(folder)) {
    const source = readFileSync(new URL(name, folder), "utf8");
    const imports = [...source.matchAll(/\bfrom "([^"]+)"/g)].map((match) => match[1]);
    for (const specifier of imports) expect(specifier, name).toMatch(/^\.\/[\w-]+\.ts$/);
    expect(source, name).not.toMatch(/\b(?:Buffer|process)\./);
  }
});

test("a filter is its own declaration", async () => {
  const filter = defineFilter<{ readonly tags: readonly string[] }>({
    name: "tag",
    title: "Tag",
    description: "Adds tags.",
    version: "1.0.0",
    options: { type: "object", properties: { tags: { type: "array", items: { type: "string" } } } },
    apply: (vcon, { tags }) => addTags(vcon, tags),
  });
  const result = await filter.apply({ uuid: "u" }, { tags: ["x"] });
  expect(result.attachments).toMatchObject([{ body: ["x"] }]);
});
