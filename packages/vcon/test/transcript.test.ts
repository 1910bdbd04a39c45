import { describe, expect, test } from "vitest";
import { type JsonObject, type JsonValue, transcript } from "../src/index.ts";

const start = "2026-03-01T10:00:00Z";
const base = Date.parse(start);
const parties = [{ name: "Ann" }, { mailto: "bob@example.com" }, {}];

function call(
  body: JsonValue,
  { dialog = {}, ...analysis }: { dialog?: object; [member: string]: JsonValue | object } = {},
) {
  return transcript({
    parties,
    dialog: [{ type: "recording", start, parties: [0, 1], ...dialog }],
    analysis: [{ type: "transcript", dialog: 0, encoding: "json", body, ...analysis }],
  });
}

function brief(turns: ReturnType<typeof transcript>) {
  return turns.map(({ start: at, duration, partyLabel, text }) => [
    at === undefined ? at : at - base,
    duration,
    partyLabel,
    text,
  ]);
}

const paragraphs = [
  { speaker: 0, start: 0.5, end: 2, sentences: [{ text: "Hello." }, { text: "This is Ann." }] },
  { speaker: 1, start: 2.5, end: 3, sentences: [{ text: "Hi." }] },
];
const deepgram = (alternative: JsonObject): JsonValue => ({
  results: { channels: [{ alternatives: [alternative] }] },
});

describe("transcript formats", () => {
  test("Deepgram paragraphs, whole response or one alternative, value or text", () => {
    const expected = [
      [500, 1.5, "Ann", "Hello. This is Ann."],
      [2500, 0.5, "bob@example.com", "Hi."],
    ];
    const body = deepgram({ paragraphs: { paragraphs } });
    expect(brief(call(body))).toEqual(expected);
    expect(brief(call(JSON.stringify(body)))).toEqual(expected);
    expect(brief(call({ paragraphs: { paragraphs } }))).toEqual(expected);
    expect(call(body)[1]).toMatchObject({
      start: base + 2500,
      end: base + 3000,
      party: 1,
      dialog: 0,
      source: "deepgram",
    });
  });

  test("Deepgram voices are numbered in the order of the dialog's parties", () => {
    const body = deepgram({ paragraphs: { paragraphs } });
    expect(call(body, { dialog: { parties: [[2], 0] } }).map(({ party }) => party)).toEqual([2, 0]);
    expect(call(body, { dialog: { parties: 1 } }).map(({ partyLabel }) => partyLabel)).toEqual([
      "bob@example.com",
      "Speaker 1",
    ]);
    expect(call(body, { dialog: { parties: null } }).map(({ partyLabel }) => partyLabel)).toEqual([
      "Ann",
      "bob@example.com",
    ]);
  });

  test("Deepgram words without paragraphs break at another voice and at a pause", () => {
    const word = (text: string, from: number, speaker: number) => ({
      word: text,
      punctuated_word: `${text}.`,
      start: from,
      end: from + 0.5,
      speaker,
    });
    const words = [word("a", 0, 0), word("b", 0.5, 0), word("c", 1, 1), word("d", 5, 1)];
    expect(brief(call(deepgram({ words })))).toEqual([
      [0, 1, "Ann", "a. b."],
      [1000, 0.5, "bob@example.com", "c."],
      [5000, 0.5, "bob@example.com", "d."],
    ]);
  });

  test("Deepgram channels are parties", () => {
    const channels = [0, 1].map((at) => ({
      alternatives: [{ words: [{ word: `on ${at}`, start: 1 - at, end: 2 }] }],
    }));
    expect(brief(call({ results: { channels } }, { dialog: { parties: [2, [1, 0]] } }))).toEqual([
      [0, 2, "bob@example.com", "on 1"],
      [1000, 1, "Party 3", "on 0"],
    ]);
  });

  test("Whisper and OpenAI segments", () => {
    const segments = [
      { start: 0, end: 1, text: " One." },
      { start: 1, end: 2.5, text: " Two." },
    ];
    expect(brief(call({ text: "One. Two.", segments, language: "en" }))).toEqual([
      [0, 1, "Unknown", "One."],
      [1000, 1.5, "Unknown", "Two."],
    ]);
    expect(call({ task: "transcribe", segments }, { dialog: { parties: [1] } })).toMatchObject([
      { source: "openai", party: 1 },
      { source: "openai", party: 1 },
    ]);
    const diarised = [
      { start: 0, end: 1, text: "a", speaker: "A" },
      { start: 1, end: 2, text: "b", speaker: "B" },
    ];
    expect(call({ task: "transcribe", segments: diarised }).map(({ party }) => party)).toEqual([0, 1]);
  });

  test("World Transcription Format, voices by number or by name", () => {
    const body = {
      transcript: { text: "all" },
      segments: [
        { id: 0, start: 0, end: 1, text: "first", speaker: "speaker_1" },
        { id: 1, start: 1, end: 2, text: "second", speaker: 7 },
        { id: 2, start: 2, end: 3, text: "third", speaker: "operator" },
      ],
      speakers: { 7: { label: "ann" } },
    };
    const turns = call(body, { type: "wtf_transcription" });
    expect(turns.map(({ party, partyLabel, source }) => [party, partyLabel, source])).toEqual([
      [1, "bob@example.com", "wtf"],
      [0, "Ann", "wtf"],
      [undefined, "operator", "wtf"],
    ]);
  });

  test("our own list, with times of day or seconds", () => {
    const body = [
      { parties: 1, start: "2026-03-01T10:00:03.5+00:00", duration: 2, text: "later" },
      { party: 0, start: 1, end: 2.5, text: "sooner" },
      { speaker: "Ann", text: "no time" },
      { text: "" },
      7,
    ];
    expect(brief(call(body))).toEqual([
      [1000, 1.5, "Ann", "sooner"],
      [undefined, undefined, "Ann", "no time"],
      [3500, 2, "bob@example.com", "later"],
    ]);
  });

  test("plain text is one turn, subtitles and unknown formats are none", () => {
    expect(brief(call(" Just words. "))).toEqual([[undefined, undefined, "Unknown", "Just words."]]);
    expect(brief(call({ text: "words" }))).toHaveLength(1);
    expect(call("WEBVTT\n\n00:00.000 --> 00:01.000\nHi")).toEqual([]);
    expect(call("1\n00:00:00,000 --> 00:00:01,000\nHi")).toEqual([]);
    for (const body of [{}, { a: 1 }, [], 5, null, { results: {} }, { segments: "x" }])
      expect(call(body)).toEqual([]);
  });

  test("times that cannot be are dropped", () => {
    const segments = [
      { start: 5, end: 4, text: "a" },
      { start: -1, end: 1, text: "b" },
      { start: 1e300, end: 1e301, text: "c" },
    ];
    expect(brief(call({ segments }))).toEqual([
      [5000, undefined, "Unknown", "a"],
      [undefined, undefined, "Unknown", "b"],
      [undefined, undefined, "Unknown", "c"],
    ]);
  });
});

test("of several transcripts the best is read, of equals the latest", () => {
  const analysis = (body: JsonValue) => ({ type: "transcript", dialog: 0, encoding: "json", body });
  const timed = { segments: [{ start: 0, end: 1, text: "timed" }] };
  const voiced = (text: string) => [{ party: 0, start: 0, duration: 1, text }];
  const read = (...bodies: JsonValue[]) =>
    transcript({ dialog: [{ type: "recording", start }], analysis: bodies.map(analysis) }).map(
      ({ text }) => text,
    );
  expect(read("plain", timed)).toEqual(["timed"]);
  expect(read(voiced("old"), voiced("new"), timed, "plain", {})).toEqual(["new"]);
});

test("without a start there are durations but no times", () => {
  const turns = transcript({
    dialog: [{ type: "recording" }],
    analysis: [{ type: "transcript", body: { segments: [{ start: 1, end: 3, text: "x" }] } }],
  });
  expect(turns).toMatchObject([{ start: undefined, end: undefined, duration: 2, dialog: 0 }]);
});

describe("text dialogs", () => {
  const text = (dialog: object) =>
    transcript({ parties, dialog: [{ type: "text", start, parties: [1, 0], ...dialog }] });

  test("plain, HTML and base64url", () => {
    expect(text({ body: "Hi" })).toMatchObject([
      { text: "Hi", party: 1, start: base, end: base, source: "dialog" },
    ]);
    expect(text({ body: Buffer.from("Grüße").toString("base64url"), encoding: "base64url" })[0]?.text).toBe(
      "Grüße",
    );
    const html =
      "<HEAD><title>t</title></HEAD><p>One &amp; two</p><SCRIPT>x<y</SCRIPT>İ<br>3 &lt; 4 &#x41;<b>!</b>";
    expect(text({ mediatype: "text/html", body: html })[0]?.text).toBe("One & two\nİ\n3 < 4 A!");
    expect(text({ body: "Hi", originator: 0 })[0]?.party).toBe(0);
    expect(text({ mediatype: "image/png", body: "x" })).toEqual([]);
    expect(text({ body: { not: "text" } })).toEqual([]);
  });

  test("multipart: the first plain part, nested and encoded", () => {
    const inner = [
      "--in",
      "Content-Type: text/html",
      "",
      "<p>html</p>",
      "--in",
      'Content-Type: text/plain;\r\n charset="utf-8"',
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "caf=C3=A9 =\r\nand more",
      "--in--",
    ].join("\r\n");
    const body = `preamble\r\n--out=_1\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n${inner}\r\n--out=_1--\r\n`;
    expect(text({ mediatype: 'multipart/mixed; \n\tboundary="out=_1"', body })[0]?.text).toBe(
      "café and more",
    );
    const bare = "--b\r\n\r\nno headers\r\n--b\r\nContent-Type: text/plain\r\n\r\nsecond\r\n--b--";
    expect(text({ mediatype: "multipart/mixed; boundary=b", body: bare })[0]?.text).toBe("no headers");
    const html = "--b\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\nPGI+aGk8\nL2I+\n--b--";
    expect(text({ mediatype: "multipart/alternative; boundary=b", body: html })[0]?.text).toBe("hi");
    expect(text({ mediatype: "multipart/mixed", body: "no boundary" })).toEqual([]);
  });

  test("dialogs come in order of time; one without a time stays after its neighbour", () => {
    const at = (seconds: number) => new Date(base + seconds * 1000).toISOString();
    const dialog = [
      { type: "text", start: at(20), body: "second" },
      { type: "text", body: "third" },
      { type: "text", start: at(10), body: "first" },
    ];
    expect(transcript({ dialog }).map((turn) => turn.text)).toEqual(["first", "second", "third"]);
  });

  test("hostile input takes no time", () => {
    const bombs = [
      "<".repeat(300_000),
      "<script>".repeat(100_000),
      "&".repeat(300_000),
      "<p>".repeat(100_000),
    ];
    for (const body of bombs) text({ mediatype: "text/html", body });
    const multipart = "\n--b".repeat(200_000);
    expect(text({ mediatype: "multipart/mixed; boundary=b", body: multipart })).toEqual([]);
    text({ encoding: "base64url", body: `${"=".repeat(500_000)}x` });
  }, 2_000);
});
