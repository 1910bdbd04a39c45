import assert from "node:assert/strict";
import { test } from "node:test";
import { runProcessor } from "@vconductor/server/plugin-testing";
import maskNumbers from "../src/mask-numbers.ts";

function chat(...messages: readonly string[]) {
  return {
    vcon: "0.4.0",
    uuid: "019d0000-0000-8000-8000-000000000001",
    created_at: "2026-03-10T18:46:02Z",
    parties: [{ name: "Maya" }],
    dialog: messages.map((body) => ({
      type: "text",
      start: "2026-03-10T18:42:07Z",
      parties: 0,
      mediatype: "text/plain",
      encoding: "none",
      body,
    })),
  };
}

test("masks long numbers, and leaves the rest", async () => {
  const ran = await runProcessor(maskNumbers, {
    vcons: [chat("My card is 4000 1234 5678 9010, since 2021.", "Thank you.")],
    options: { keep: 4 },
  });
  assert.deepEqual(ran.vcons, [chat("My card is **** **** **** 9010, since 2021.", "Thank you.")]);
  assert.deepEqual(ran.modified, [true]);
  assert.deepEqual(ran.parameters, { masked_numbers: 1 });
  assert.equal(ran.progress.at(-1)?.message, "dialog 2 of 2");
});

test("leaves a conversation without such numbers as it is", async () => {
  const ran = await runProcessor(maskNumbers, { vcons: [chat("Room 12, at 10:30.")] });
  assert.deepEqual(ran.modified, [false]);
});

test("refuses options that make no sense", async () => {
  const vcons = [chat("123456")];
  await assert.rejects(runProcessor(maskNumbers, { vcons, options: { digits: 4, keep: 4 } }), {
    message: /keep \(4\) must be less than digits \(4\)/,
  });
  await assert.rejects(runProcessor(maskNumbers, { vcons, options: { mask: "" } }), {
    code: "invalid_options",
  });
});
