import { expect, test } from "vitest";
import { addTags, defineFilter } from "../../src/index.ts";

test("a filter is its own declaration", async () => {
  const filter = defineFilter<{ readonly tags: readonly string[] }>({
    name: "tag",
    title: "Tag",
    description: "Adds tags.",
    version: "1.0.0",
    options: { type: "object", properties: { tags: { type: "array", items: { type: "string" } } } },
    apply: (vcon, { tags }) => addTags(vcon, tags),
  });
  const context = { domain: "example.com", jq: async () => [] };
  const result = await filter.apply({ uuid: "u" }, { tags: ["x"] }, context);
  expect(result.attachments).toMatchObject([{ body: ["x"] }]);
});
