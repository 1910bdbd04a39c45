import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { transcript } from "../../src/conversation/transcript.ts";
import type { Dialog, JsonValue, Vcon } from "../../src/document/types.ts";
import { type RedactPiiOptions, redactPii } from "../../src/redaction/redact-pii.ts";
import { validate } from "../../src/validation/validate.ts";

const card = "4111 1111 1111 1111";
const deepgram = {
  metadata: { request_id: "x" },
  results: {
    channels: [
      {
        alternatives: [
          {
            transcript: "my card is 4111 1111 1111 1111 and I am John Carpenter",
            confidence: 0.9,
            words: [{ word: "4111", start: 0, end: 1, punctuated_word: "4111" }],
            paragraphs: {
              paragraphs: [
                {
                  speaker: 0,
                  start: 0,
                  end: 2,
                  sentences: [{ text: "my card is 4111 1111", start: 0, end: 2 }],
                },
                {
                  speaker: 0,
                  start: 2,
                  end: 4,
                  sentences: [{ text: "1111 1111 and I am John Carpenter", start: 2, end: 4 }],
                },
              ],
            },
          },
        ],
      },
    ],
  },
};

const call: Vcon = {
  vcon: "0.4.0",
  uuid: "019daf60-0b52-8b85-b708-0d221ebaf96f",
  created_at: "2026-04-21T09:30:00Z",
  subject: "Refund for John Carpenter",
  custom: { note: "call +1 415 555 0132", numbers: [4111111111111111, 42] },
  parties: [
    { name: "John Carpenter", tel: "+14155550132", mailto: "john.carpenter@example.com", role: "customer" },
    { name: "Zoltan Wierzbicki", role: "agent" },
  ],
  dialog: [
    {
      type: "recording",
      start: "2026-04-21T09:02:11Z",
      duration: 4,
      parties: [0, 1],
      mediatype: "audio/x-wav",
      filename: "john.carpenter@example.com.wav",
      body: "UklGRg",
      encoding: "base64url",
      party_history: [
        { party: 0, time: "2026-04-21T09:02:12Z", event: "join" },
        { party: 0, time: "2026-04-21T09:02:13Z", event: "keydown", button: "4" },
      ],
    },
    {
      type: "text",
      start: "2026-04-21T09:05:00Z",
      parties: [0, 1],
      mediatype: "text/plain",
      encoding: "none",
      body: `Mail john.carpenter@example.com, card ${card}. Wierzbicki knows.`,
    },
    {
      type: "text",
      start: "2026-04-21T09:06:00Z",
      parties: 1,
      mediatype: "text/html",
      encoding: "none",
      body: "<p>born on <b>April 12, 1985</b></p>",
    },
  ],
  analysis: [
    {
      type: "transcript",
      dialog: 0,
      vendor: "deepgram",
      product: "transcription",
      schema: "deepgram_prerecorded",
      encoding: "json",
      mediatype: "application/json",
      body: deepgram,
    },
    {
      type: "summary",
      dialog: 0,
      vendor: "example",
      mediatype: "text/plain",
      encoding: "none",
      body: "John Carpenter wants his money back.",
    },
    {
      type: "report",
      dialog: 0,
      vendor: "example",
      mediatype: "application/json",
      encoding: "json",
      body: { customer: "John Carpenter", "john.carpenter@example.com": { calls: 3 } },
    },
  ],
  attachments: [
    {
      purpose: "note",
      start: "2026-04-21T09:06:00Z",
      party: 0,
      dialog: 1,
      mediatype: "text/plain",
      encoding: "base64url",
      body: Buffer.from("SSN 219-09-9999").toString("base64url"),
    },
    {
      purpose: "photo",
      start: "2026-04-21T09:06:00Z",
      party: 0,
      dialog: 1,
      mediatype: "image/png",
      encoding: "base64url",
      body: "iVBORw0KGgo",
    },
  ],
};

function run(vcon: Vcon, options: Partial<RedactPiiOptions> = {}) {
  return redactPii(vcon, { domain: "example.com", ...options });
}

/** Every string of a document, base64url decoded too. */
function textsIn(value: JsonValue): string {
  const found: string[] = [];
  JSON.stringify(value, (key, inner: unknown) => {
    found.push(key);
    if (typeof inner === "number") found.push(String(inner));
    if (typeof inner === "string") found.push(inner, Buffer.from(inner, "base64url").toString());
    return inner;
  });
  return found.join("\n");
}

describe("a redacted copy", async () => {
  const { vcon, report } = await run(call);

  test.each([
    "Carpenter",
    "Wierzbicki",
    "4111",
    "415",
    "0132",
    "@example.com",
    "1985",
    "219-09-9999",
    "UklGRg",
    "iVBOR",
    "keydown",
  ])("holds nothing of %s", (word) => expect(textsIn(vcon)).not.toContain(word));

  test("says what it comes from and what is gone", () => {
    expect(vcon.redacted).toEqual({ uuid: call.uuid, type: "PII" });
    expect(vcon.uuid).not.toBe(call.uuid);
  });

  test("keeps indices, times and everything that is not personal", () => {
    expect(vcon.dialog).toHaveLength(3);
    expect(vcon.dialog?.[0]).toMatchObject({
      type: "recording",
      start: "2026-04-21T09:02:11Z",
      duration: 4,
      parties: [0, 1],
      mediatype: "audio/x-wav",
    });
    expect(vcon.dialog?.[1]?.body).toMatch(
      /^Mail \{\{EMAIL_ADDRESS\}\}, card \{\{CREDIT_CARD\}\}\. \{\{PERSON\}\} knows\.$/,
    );
    expect(vcon.dialog?.[2]?.body).toContain("born on");
    expect(vcon.attachments).toHaveLength(2);
    expect(vcon.attachments?.[0]?.body).toBe("SSN {{US_SSN}}");
    expect(vcon.analysis?.[1]?.body).toBe("{{PERSON}} wants his money back.");
    expect(vcon.analysis?.[2]?.body).toEqual({ customer: "{{PERSON}}", "{{EMAIL_ADDRESS}}": { calls: 3 } });
    expect(vcon.custom).toEqual({ note: "call {{PHONE_NUMBER}}", numbers: ["{{CREDIT_CARD}}", 42] });
    expect(vcon.parties).toEqual([
      { name: "anonymous", role: "customer" },
      { name: "anonymous", role: "agent" },
    ]);
  });

  test("has a redacted transcript in the place of what was said, also where a number was broken in two", () => {
    expect(
      transcript(vcon)
        .filter(({ dialog }) => dialog === 0)
        .map(({ text }) => text),
    ).toEqual(["my card is {{CREDIT_CARD}}", "{{CREDIT_CARD}} and I am {{PERSON}}"]);
  });

  test("is a valid vCon", () => {
    expect(validate(vcon, { mode: "lenient" }).filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("comes with a report that names places and kinds, and none of the words", () => {
    expect(report.counts.PERSON).toBeGreaterThan(2);
    expect(report.counts.US_SSN).toBe(1);
    expect(report.findings).toContainEqual({ place: "subject", kind: "PERSON", start: 11, end: 25 });
    expect(textsIn(JSON.parse(JSON.stringify(report)))).not.toMatch(/Carpenter|4111/);
  });
});

test("the names of the parties can stay, their numbers not", async () => {
  const { vcon } = await run(call, { keepNames: true });
  expect(vcon.parties?.[1]).toEqual({ name: "Zoltan Wierzbicki", role: "agent" });
  expect(textsIn(vcon)).not.toMatch(/555 ?0132|example\.com/);
});

test("parts of the parties' names are found wherever they stand, whatever detector there is", async () => {
  const said = {
    type: "text",
    start: "2026-03-04T10:00:00Z",
    parties: 0,
    mediatype: "text/plain",
    encoding: "none",
  } as const;
  const vcon: Vcon = {
    ...call,
    dialog: [{ ...said, body: "Hi Zoltan, Mr. Carpenter is here. John?" }],
    analysis: [],
    attachments: [],
  };
  const { vcon: clean } = await run(vcon, { detector: async () => [] });
  expect(clean.dialog?.[0]?.body).toBe("Hi {{PERSON}}, Mr. {{PERSON}} is here. {{PERSON}}?");
});

test("the original is not touched", async () => {
  const before = structuredClone(call);
  await run(call);
  expect(call).toEqual(before);
});

test("a detector that fails leaves no half-redacted copy", async () => {
  const detector = () => Promise.reject(new Error("down"));
  await expect(run(call, { detector })).rejects.toThrow("down");
});

test("nothing personal survives, wherever it stands", async () => {
  const secret = fc.constantFrom(
    "dora.stone@example.org",
    "+1 415 555 0199",
    "378282246310005",
    "219-09-9999",
    "DE89370400440532013000",
  );
  const place = fc.constantFrom<(text: string) => Partial<Vcon>>(
    (text) => ({ subject: text }),
    (text) => ({ parties: [{ name: text, custom: text }] }),
    (text) => ({ [text]: 1 }),
    (text) => ({ custom: [[{ deep: text }]] }),
    (text) => ({ dialog: [{ type: "text", body: text, encoding: "none" }] }),
    (text) => ({
      dialog: [
        {
          type: "text",
          body: Buffer.from(text).toString("base64url"),
          encoding: "base64url",
        } satisfies Dialog,
      ],
    }),
    (text) => ({ dialog: [{ type: "recording", filename: text, url: `https://example.com/${text}` }] }),
    (text) => ({ dialog: [{ type: "odd", session_id: { local: text }, application: text }] }),
    (text) => ({ analysis: [{ type: "summary", vendor: "x", body: { [text]: text }, encoding: "json" }] }),
    (text) => ({ analysis: [{ type: "transcript", vendor: "x", body: text, encoding: "none" }] }),
    (text) => ({ parties: [{ role: text, type: text }] }),
    (text) => ({ extensions: [text] }),
    (text) => ({ analysis: [{ type: text, vendor: text, product: [text], schema: text }] }),
    (text) => ({ dialog: [{ type: text, disposition: text }] }),
    (text) => ({ attachments: [{ purpose: text }] }),
    (text) => ({ attachments: [{ purpose: "tags", body: [`customer:${text}`], encoding: "json" }] }),
    (text) => ({
      attachments: [
        { purpose: "note", body: JSON.stringify({ text }), encoding: "none", mediatype: "application/json" },
      ],
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      secret,
      place,
      fc.constantFrom("it is ", "", "please note: "),
      async (value, make, before) => {
        const { vcon } = await run({
          vcon: "0.4.0",
          uuid: "u",
          created_at: "2026-04-21T09:30:00Z",
          ...make(`${before}${value}`),
        });
        expect(textsIn(vcon)).not.toContain(value);
      },
    ),
    { numRuns: 120 },
  );
});
