import { randomBytes } from "node:crypto";

/** Bytes of each vCon of the benchmark: a few minutes of talk with its transcript. */
export const documentBytes = 12_000;

export const phrases = [
  "Good morning, thank you for calling, how can I help you today?",
  "The connection drops every evening around eight, and it takes a while to come back.",
  "I see. Could you tell me which lights are on at the front of the device?",
  "The first two are green, the third one blinks slowly, and the last one is off.",
  "Thanks. I am going to run a test on the line from here, that takes about a minute.",
  "Sure, take your time. It was the same last week, and somebody reset it then.",
  "The test shows some noise on the line, so I would like to send a technician.",
  "Tomorrow would be fine for me, preferably in the afternoon after two o'clock.",
  "I have a slot between three and five. You will get a message before he arrives.",
  "Perfect. Will I be charged for the visit? I had that problem with another company.",
  "No, that is part of your contract. Is there anything else that I can do for you?",
] as const;

/** A vCon as JSON text, ASCII only, exactly `documentBytes` long. Uuid, subject, phone number and time differ. */
export interface NewDocument {
  readonly uuid: string;
  readonly body: string;
}

const firstCall = Date.UTC(2026, 0, 1);
/** The places that differ from one document to the next, each as wide as what goes there. */
const marks = {
  uuid: "@".repeat(36),
  tel: "#".repeat(8),
  time: "%".repeat(24),
} as const;

/** Makes vCons that differ where real ones do, at the cost of joining a few strings: it runs inside the measurement. */
export class DocumentMaker {
  readonly #pieces = split(template());
  #made = 0;

  next(): NewDocument {
    const n = this.#made++;
    const values: Readonly<Record<string, string>> = {
      [marks.uuid]: newUuid(n),
      [marks.tel]: String(10_000_000 + (n % 90_000_000)),
      [marks.time]: new Date(firstCall + n * 1000).toISOString(),
    };
    return {
      uuid: values[marks.uuid] ?? "",
      body: this.#pieces.map((piece) => values[piece] ?? piece).join(""),
    };
  }
}

const own = randomBytes(8).toString("hex");

/** Version 8, as vCon has it: time first, so that neighbours in time are neighbours in the index. */
function newUuid(n: number): string {
  const time = (Date.now() % 2 ** 48).toString(16).padStart(12, "0");
  const count = n.toString(16).padStart(8, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-8${own.slice(0, 3)}-8${own.slice(3, 6)}-${own.slice(6, 10)}${count}`;
}

function split(text: string): readonly string[] {
  const pattern = new RegExp(`(${Object.values(marks).join("|")})`);
  return text.split(pattern);
}

function template(): string {
  const bare = JSON.stringify(vcon([], ""));
  const turns: object[] = [];
  for (let at = 0; ; at++) {
    const turn = turnAt(at);
    const grown = JSON.stringify(vcon([...turns, turn], ""));
    if (grown.length > documentBytes) break;
    turns.push(turn);
  }
  const short = documentBytes - JSON.stringify(vcon(turns, "")).length;
  const text = JSON.stringify(vcon(turns, "-".repeat(short)));
  if (bare.length > documentBytes || text.length !== documentBytes)
    throw new Error("the document has the wrong size");
  return text;
}

function turnAt(at: number): object {
  const text = phrases[(at * 7) % phrases.length] ?? "";
  const start = Math.round(at * 6310) / 1000;
  const words = text.split(" ").map((word, index) => ({
    word,
    start: Math.round((start + index * 0.31) * 1000) / 1000,
    confidence: Math.round((0.9 + ((at * 13 + index * 7) % 100) / 1000) * 1000) / 1000,
  }));
  return { speaker: at % 2, start, end: start + 5.9, transcript: text, words: words.slice(0, 4) };
}

function vcon(turns: readonly object[], filling: string): object {
  return {
    vcon: "0.4.0",
    uuid: marks.uuid,
    created_at: marks.time,
    subject: `Connection drops every evening (${marks.tel})`,
    parties: [
      {
        tel: "+15550100",
        name: "Maya Lindqvist",
        mailto: "maya.lindqvist@support.example.com",
        role: "agent",
      },
      { tel: `+1${marks.tel}`, name: "Daniel Okafor", role: "customer" },
    ],
    dialog: [
      {
        type: "recording",
        start: marks.time,
        duration: 197.4,
        parties: [0, 1],
        mediatype: "audio/x-wav",
        url: `https://recordings.example.com/${marks.uuid}.wav`,
        content_hash:
          "sha512-GLy6IPaIUM1GqzZqfIPZlWjaDsNgNvZM0iCONNThnH0a75fhUM6cYzLZ5GynSURREvZwmOh54-2lRRieyj82UQ",
      },
    ],
    analysis: [
      {
        type: "transcript",
        dialog: 0,
        vendor: "example",
        product: "transcriber",
        schema: "utterances",
        mediatype: "application/json",
        encoding: "json",
        body: { utterances: turns, filling },
      },
    ],
    attachments: [
      {
        purpose: "tags",
        start: marks.time,
        party: 0,
        mediatype: "application/json",
        encoding: "json",
        body: ["line:7"],
      },
    ],
  };
}
