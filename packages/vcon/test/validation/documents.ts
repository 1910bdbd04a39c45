import type { JsonObject } from "../../src/document/types.ts";

type Changes = Readonly<Record<string, unknown>>;

const hash = `sha512-${"A".repeat(86)}`;

/** A document without findings, with one of everything. */
export const good = {
  vcon: "0.4.0",
  uuid: "019daf60-0b52-8b85-b708-0d221ebaf96f",
  created_at: "2026-04-21T09:30:00Z",
  updated_at: "2026-04-21T09:31:00.500Z",
  subject: "Refund",
  extensions: ["CC"],
  critical: ["CC"],
  parties: [
    {
      name: "Ann Lee",
      validation: "none",
      tel: "tel:+12025550101",
      sip: "sip:ann@example.com",
      mailto: "ann@example.com",
      did: "did:web:example.com",
      stir: "a.b.c",
      gmlpos: "48.2082 16.3738",
      type: "person",
      role: "agent",
      civicaddress: { country: "AT" },
    },
    { name: "anonymous" },
    {},
  ],
  dialog: [
    {
      type: "recording",
      start: "2026-04-21T09:00:00Z",
      duration: 60,
      parties: [[0], [1, 2]],
      originator: 1,
      mediatype: "audio/x-wav",
      url: "https://example.com/call.wav",
      content_hash: hash,
      recording_set: 3,
      session_id: [{ local: "0".repeat(32), remote: "0".repeat(32) }, {}],
      party_history: [{ party: 0, time: "2026-04-21T09:00:00Z", event: "keydown", button: "5" }],
    },
    {
      type: "text",
      start: "2026-04-21T09:02:00Z",
      parties: 0,
      mediatype: "text/plain",
      encoding: "none",
      body: "Hi",
      skill: "x",
    },
    { type: "incomplete", start: "2026-04-21T09:03:00Z", parties: [0, 1], disposition: "busy" },
    { type: "recording-set", start: "2026-04-21T09:00:00Z", parties: [0, 1], recordings: [0] },
    { type: "transfer", transferee: 0, transferor: 1, transfer_target: 2, original: 0, target_dialog: 2 },
  ],
  analysis: [
    {
      type: "summary",
      vendor: "example",
      dialog: [0, 1],
      attachment: 0,
      mediatype: "application/json",
      encoding: "json",
      body: { a: 1 },
    },
  ],
  attachments: [
    {
      purpose: "contract",
      start: "2026-04-21T09:05:00Z",
      party: 0,
      dialog: 0,
      mediatype: "text/plain",
      encoding: "base64url",
      body: "SGk",
    },
  ],
} as const;

export function whole(changes: Changes): unknown {
  return without({ ...good, ...changes });
}

function inList(
  list: "parties" | "dialog" | "analysis" | "attachments",
  at: number,
  changes: Changes,
): unknown {
  const entries: readonly object[] = good[list];
  return { ...good, [list]: entries.with(at, without({ ...entries[at], ...changes })) };
}

export const party = (changes: Changes) => inList("parties", 0, changes);
/** @param at 0 recording, 1 text, 2 incomplete, 3 recording-set, 4 transfer */
export const dialog = (at: number, changes: Changes) => inList("dialog", at, changes);
export const analysis = (changes: Changes) => inList("analysis", 0, changes);
export const attachment = (changes: Changes) => inList("attachments", 0, changes);
export const history = (changes: Changes) =>
  dialog(0, { party_history: [without({ ...good.dialog[0].party_history[0], ...changes })] });
export const redacted = (changes: Changes) =>
  whole({ redacted: without({ uuid: "019daf60-0b52-8b85-b708-0d221ebaf970", type: "PII", ...changes }) });
export const amended = (changes: Changes) =>
  whole({ amended: without({ uuid: "019daf60-0b52-8b85-b708-0d221ebaf970", ...changes }) });

const encode = (header: object) => Buffer.from(JSON.stringify(header)).toString("base64url");

const header = { alg: "RS256", x5c: ["AAAA"], uuid: good.uuid };
const signature = { protected: encode({ alg: "RS256", x5c: ["AAAA"] }), header, signature: "AAAA" };
export const signedGood = { payload: "AAAA", signatures: [signature] };
/** Changes of the one signature; `protected` is given as an object. */
export function signed(changes: Changes): unknown {
  const { protected: own, ...rest } = changes;
  const encoded = typeof own === "object" && own !== null ? encode(own) : own;
  const changed = "protected" in changes ? { ...rest, protected: encoded } : rest;
  return { ...signedGood, signatures: [without({ ...signature, ...changed })] };
}

export const encryptedGood = {
  protected: encode({ enc: "A256CBC-HS512" }),
  unprotected: { uuid: good.uuid, cty: "application/vcon", enc: "A256CBC-HS512" },
  recipients: [{ header: { alg: "RSA-OAEP" }, encrypted_key: "AAAA" }],
  iv: "AAAA",
  ciphertext: "AAAA",
  tag: "AAAA",
};
export const encrypted = (changes: Changes) => without({ ...encryptedGood, ...changes });

/** Members that are undefined are left out. */
function without(object: object): JsonObject {
  return JSON.parse(JSON.stringify(object));
}
