import { expect, test } from "vitest";
import { addTags, readTags } from "../src/index.ts";

test("tags go to a new attachment, then to the same one, each once", () => {
  const empty = { uuid: "u", parties: [] };
  const now = Date.parse("2026-03-04T10:00:00Z");
  const one = addTags(empty, ["a:1", "a:1"], { now });
  expect(one.attachments).toEqual([
    {
      purpose: "tags",
      start: "2026-03-04T10:00:00Z",
      mediatype: "application/json",
      encoding: "json",
      body: ["a:1"],
    },
  ]);
  const two = addTags(one, ["a:1", "b:2"]);
  expect(two.attachments).toHaveLength(1);
  expect(readTags(two)).toEqual(["a:1", "b:2"]);
  expect(addTags(two, ["b:2"])).toBe(two);
  expect(empty).toEqual({ uuid: "u", parties: [] });
});

test("a new attachment names the first party and dialog, as the draft wants it", () => {
  const vcon = { uuid: "u", parties: [{}], dialog: [{ type: "text" }] };
  expect(addTags(vcon, ["a"]).attachments).toMatchObject([
    { party: 0, dialog: 0, start: expect.any(String) },
  ]);
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
