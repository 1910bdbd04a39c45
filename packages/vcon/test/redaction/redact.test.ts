import { expect, test } from "vitest";
import { runJq } from "../../src/command/jq.ts";
import type { Vcon } from "../../src/document/types.ts";
import { amend } from "../../src/redaction/amend.ts";
import { redactWithJq } from "../../src/redaction/jq-redact.ts";
import { type RedactSelection, redact } from "../../src/redaction/redact.ts";
import { validate } from "../../src/validation/validate.ts";

const now = Date.parse("2026-11-23T10:00:00Z");
const options = { domain: "example.com", now };

const call: Vcon = {
  vcon: "0.4.0",
  uuid: "019daf60-0b52-8b85-b708-0d221ebaf96f",
  created_at: "2026-04-21T09:30:00Z",
  subject: "Refund",
  parties: [
    { name: "Ann", tel: "+12025550101" },
    { name: "Bob", mailto: "bob@example.com", role: "agent" },
  ],
  dialog: [
    {
      type: "recording",
      start: "2026-04-21T09:02:11Z",
      duration: 3,
      parties: [0, 1],
      mediatype: "audio/x-wav",
      url: "https://example.com/call.wav",
      content_hash: "sha512-AAAA",
    },
    {
      type: "text",
      start: "2026-04-21T09:05:00Z",
      parties: 0,
      mediatype: "text/plain",
      encoding: "none",
      body: "Thanks",
    },
  ],
  analysis: [
    {
      type: "transcript",
      dialog: 0,
      vendor: "example",
      encoding: "none",
      body: "hello",
      content_hash: "sha512-BBBB",
    },
    { type: "summary", dialog: [0, 1], vendor: "example", encoding: "none", body: "A call." },
  ],
  attachments: [
    {
      purpose: "contract",
      start: "2026-04-21T09:06:00Z",
      party: 0,
      dialog: 1,
      mediatype: "text/plain",
      encoding: "none",
      body: "sealed",
    },
  ],
};

async function redacted(select: RedactSelection): Promise<Vcon> {
  return redact(call, { ...options, type: "test", select });
}

test("a redacted copy has a uuid of its own, and says which vCon it comes from and what is gone", async () => {
  const before = structuredClone(call);
  const copy = await redacted({ subject: true });
  expect(copy.redacted).toEqual({ uuid: call.uuid, type: "test" });
  expect(copy.uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(copy.uuid).not.toBe(call.uuid);
  expect(copy).not.toHaveProperty("subject");
  expect(copy.updated_at).toBe("2026-11-23T10:00:00Z");
  expect(call).toEqual(before);
});

test("entries keep their place; what they were stays, their content goes", async () => {
  const copy = await redacted({ dialog: [0], analysis: { type: ["transcript"] }, attachments: "all" });
  expect(copy.dialog?.[0]).toEqual({
    type: "recording",
    start: "2026-04-21T09:02:11Z",
    duration: 3,
    parties: [0, 1],
    mediatype: "audio/x-wav",
    content_hash: "sha512-AAAA",
  });
  expect(copy.dialog?.[1]).toEqual(call.dialog?.[1]);
  expect(copy.analysis).toEqual([{ type: "transcript", dialog: 0, vendor: "example" }, call.analysis?.[1]]);
  expect(copy.attachments).toEqual([
    { purpose: "contract", start: "2026-04-21T09:06:00Z", party: 0, dialog: 1, mediatype: "text/plain" },
  ]);
});

test("parties keep the chosen members only, or lose the chosen ones", async () => {
  expect((await redacted({ parties: { keep: ["name"] } })).parties).toEqual([
    { name: "Ann" },
    { name: "Bob" },
  ]);
  expect((await redacted({ parties: { drop: ["tel", "mailto"] } })).parties).toEqual([
    { name: "Ann" },
    { name: "Bob", role: "agent" },
  ]);
});

test.each<RedactSelection>([
  { dialog: "all" },
  { analysis: "all" },
  { attachments: [0] },
  { parties: { keep: [] } },
  {},
])("%j leaves a vCon without errors in it", async (select) => {
  expect(
    validate(await redacted(select), { mode: "lenient" }).filter(({ severity }) => severity === "error"),
  ).toEqual([]);
});

test("an index that points nowhere, and a missing type, are refused", async () => {
  await expect(redacted({ dialog: [2] })).rejects.toMatchObject({
    code: "invalid_option",
    message: "dialog: 2 points nowhere; there are 2 of them.",
  });
  await expect(redact(call, { ...options, type: " " })).rejects.toMatchObject({ code: "invalid_option" });
});

test("what was amended before is not said of the redacted copy, nor the other way round", async () => {
  const amended = await amend(call, options);
  expect(amended.amended).toEqual({ uuid: call.uuid });
  expect(amended.dialog).toEqual(call.dialog);
  const both = await redact(amended, { ...options, type: "test" });
  expect(both).not.toHaveProperty("amended");
  expect(both.redacted).toEqual({ uuid: amended.uuid, type: "test" });
  expect(await amend(both, options)).not.toHaveProperty("redacted");
});

function byJq(query: string): Promise<Vcon> {
  return redactWithJq(call, { ...options, type: "test", query, jq: runJq });
}

test("a jq program gives the redacted vCon", async () => {
  const copy = await byJq("del(.dialog[0].url) | .parties[].tel |= empty");
  expect(copy.dialog?.[0]).not.toHaveProperty("url");
  expect(copy.parties?.[0]).toEqual({ name: "Ann" });
  expect(copy.redacted).toEqual({ uuid: call.uuid, type: "test" });
  expect(copy.uuid).not.toBe(call.uuid);
});

test("a uuid that the program gives is kept", async () => {
  const uuid = "019daf60-0b52-8b85-b708-0d221ebaf970";
  expect((await byJq(`.uuid = "${uuid}"`)).uuid).toBe(uuid);
});

test.each([
  ["empty", /gives no result/],
  ["1", /not give an unsigned vCon/],
  ["{}", /leaves|not give an unsigned vCon/],
  ["del(.dialog[0])", /leaves 1 of 2 entries in dialog.*placeholder/],
  [".[", /jq program failed/],
  ['error("no")', /jq program failed/],
])("a jq program that cannot be used: %s", async (query, message) => {
  await expect(byJq(query)).rejects.toMatchObject({
    code: "invalid_query",
    message: expect.stringMatching(message),
  });
});
