import { expect, test } from "vitest";
import { addTags, readTags } from "../src/index.ts";

test("tags go to a new attachment, then to the same one, each once", () => {
  const empty = { uuid: "u", parties: [] };
  const one = addTags(empty, ["a:1", "a:1"]);
  expect(one.attachments).toEqual([
    { purpose: "tags", mediatype: "application/json", encoding: "json", body: ["a:1"] },
  ]);
  const two = addTags(one, ["a:1", "b:2"]);
  expect(two.attachments).toHaveLength(1);
  expect(readTags(two)).toEqual(["a:1", "b:2"]);
  expect(addTags(two, ["b:2"])).toBe(two);
  expect(empty).toEqual({ uuid: "u", parties: [] });
});

test("attachments of the old name, of JSON text, and other people's entries are kept", () => {
  const vcon = {
    uuid: "u",
    attachments: [
      { type: "other", body: ["x"] },
      { type: "tags", body: '["old", 5]', note: "mine" },
      { purpose: "tags", encoding: "json", body: ["second"] },
    ],
  };
  expect(readTags(vcon)).toEqual(["old", "second"]);
  expect(addTags(vcon, ["new", "second"]).attachments?.[1]).toEqual({
    type: "tags",
    body: ["old", 5, "new"],
    encoding: "json",
    note: "mine",
  });
});

test("an attachment that holds something else is left alone", () => {
  const vcon = { uuid: "u", attachments: [{ purpose: "tags", body: "free text" }] };
  expect(readTags(vcon)).toEqual([]);
  expect(addTags(vcon, ["new"]).attachments).toMatchObject([{ body: "free text" }, { body: ["new"] }]);
});
