import { describe, expect, test } from "vitest";
import { ruleTables } from "../../src/validation/rules.ts";
import { validate } from "../../src/validation/validate.ts";
import {
  amended,
  analysis,
  attachment,
  dialog,
  encrypted,
  encryptedGood,
  good,
  history,
  party,
  redacted,
  signed,
  signedGood,
  whole,
} from "./documents.ts";

type Row = readonly [rule: string, document: unknown, path: string, section: string];

/** Without these no reader can use the document. */
const essential: readonly Row[] = [
  ["form", {}, "", "The Three Forms"],
  ["form", { subject: "x" }, "", "The Three Forms"],
  ["unreadable", whole({ subject: "x", uuid: 1 }), "uuid", "vCon Object / uuid"],
  ["unreadable", whole({ dialog: {} }), "dialog", "vCon Object / dialog"],
  ["unreadable", party({ name: 7 }), "parties.0.name", "Party Object / name"],
  ["unreadable", dialog(0, { type: 7 }), "dialog.0.type", "Dialog Object / type"],
  ["unreadable", { ...signedGood, payload: 1 }, "payload", "Signed Form / payload"],
  ["entry-type", whole({ parties: [{}, {}, {}, null] }), "parties.3", "vCon Object / parties"],
  ["entry-type", { ...signedGood, signatures: [1] }, "signatures.0", "Signed Form / signatures"],
  ["uuid-missing", whole({ uuid: undefined }), "uuid", "vCon Object / uuid"],
  ["uuid-missing", whole({ uuid: "" }), "uuid", "vCon Object / uuid"],
  ["uuid-unusable", whole({ uuid: "x".repeat(256) }), "uuid", "vCon Object / uuid"],
  ["uuid-unusable", whole({ uuid: "a\u0000" }), "uuid", "vCon Object / uuid"],
  ["version-unknown", whole({ vcon: "9.0.0" }), "vcon", "vCon Object / vcon"],
  ["parties-unreadable", dialog(0, { parties: "0" }), "dialog.0.parties", "Dialog Object / parties"],
  ["parties-unreadable", dialog(0, { parties: [0.5] }), "dialog.0.parties.0", "Dialog Object / parties"],
];

/** Every MUST of the draft. */
const must: readonly Row[] = [
  ["wrong-type", whole({ subject: 1 }), "subject", "vCon Object / subject"],
  ["wrong-type", whole({ created_at: 1_772_618_400 }), "created_at", "vCon Object / created_at"],
  ["wrong-type", dialog(0, { duration: "60" }), "dialog.0.duration", "Dialog Object / duration"],
  [
    "wrong-type",
    party({ civicaddress: { country: 1 } }),
    "parties.0.civicaddress",
    "Party Object / civicaddress",
  ],
  ["null-member", whole({ subject: null }), "subject", "vCon Object / subject"],
  ["uuid-format", whole({ uuid: "hello" }), "uuid", "vCon Object / uuid"],
  ["uuid-format", redacted({ uuid: "hello" }), "redacted.uuid", "Redacted Object / uuid"],
  ["version-old", whole({ vcon: "0.0.2" }), "vcon", "vCon Object / vcon"],
  ["created-at-missing", whole({ created_at: undefined }), "created_at", "vCon Object / created_at"],
  ["date", whole({ created_at: "yesterday" }), "created_at", "vCon Object / created_at"],
  ["date", dialog(0, { start: "2026-02-30T00:00:00Z" }), "dialog.0.start", "Dialog Object / start"],
  ["date", attachment({ start: "2026-04-21T24:00:00Z" }), "attachments.0.start", "Attachment Object / start"],
  [
    "date",
    history({ time: "2026-04-21T09:00:00" }),
    "dialog.0.party_history.0.time",
    "Party History Object / time",
  ],
  [
    "redacted-and-amended",
    { ...Object(redacted({})), amended: { uuid: "019daf60-0b52-8b85-b708-0d221ebaf971" } },
    "amended",
    "vCon Object / amended",
  ],
  ["empty-reference", whole({ redacted: {} }), "redacted", "vCon Object / redacted"],
  ["critical-undeclared", whole({ critical: ["CC", "XX"] }), "critical.1", "vCon Object / critical"],
  ["renamed-member", whole({ must_support: [] }), "must_support", "vCon Object / must_support"],
  ["renamed-member", dialog(1, { mimetype: "text/plain" }), "dialog.1.mimetype", "Dialog Object / mimetype"],
  ["own-uuid", redacted({ uuid: good.uuid }), "redacted.uuid", "Redacted Object / uuid"],
  ["redacted-type-missing", redacted({ type: undefined }), "redacted.type", "Redacted Object / type"],
  ["amended-uuid-missing", amended({ uuid: undefined, type: "x" }), "amended.uuid", "Amended Object / uuid"],
  ["did", party({ did: "web:example.com" }), "parties.0.did", "Party Object / did"],
  ["dialog-type-missing", dialog(1, { type: undefined }), "dialog.1.type", "Dialog Object / type"],
  ["dialog-type", dialog(1, { type: "video" }), "dialog.1.type", "Dialog Object / type"],
  [
    "dialog-member-missing",
    dialog(2, { disposition: undefined }),
    "dialog.2.disposition",
    "Dialog Object / disposition",
  ],
  ["dialog-member-not-allowed", dialog(4, { parties: [0] }), "dialog.4.parties", "Dialog Object / parties"],
  ["disposition", dialog(2, { disposition: "tired" }), "dialog.2.disposition", "Dialog Object / disposition"],
  ["parties-form", dialog(0, { parties: [-1, 1] }), "dialog.0.parties.0", "Dialog Object / parties"],
  [
    "parties-form",
    dialog(0, { parties: [[0, [1]], null] }),
    "dialog.0.parties.0.1",
    "Dialog Object / parties",
  ],
  ["session-id", dialog(0, { session_id: ["x", {}] }), "dialog.0.session_id.0", "Dialog Object / session_id"],
  ["index-range", dialog(0, { parties: [0, 3] }), "dialog.0.parties.1", "Dialog Object / parties"],
  ["index-range", dialog(0, { parties: [[0], [1, 9]] }), "dialog.0.parties.1.1", "Dialog Object / parties"],
  ["index-range", analysis({ dialog: 5 }), "analysis.0.dialog", "Analysis Object / dialog"],
  ["index-range", analysis({ attachment: [1] }), "analysis.0.attachment.0", "Analysis Object / attachment"],
  ["index-range", attachment({ party: 3 }), "attachments.0.party", "Attachment Object / party"],
  ["index-range", history({ party: 3 }), "dialog.0.party_history.0.party", "Party History Object / party"],
  ["transfer-reference", dialog(4, { original: 2 }), "dialog.4.original", "Dialog Object / original"],
  ["recordings-type", dialog(3, { recordings: [1] }), "dialog.3.recordings.0", "Dialog Object / recordings"],
  [
    "recording-set-type",
    dialog(0, { recording_set: 1 }),
    "dialog.0.recording_set",
    "Dialog Object / recording_set",
  ],
  [
    "recording-set-contradicted",
    dialog(3, { recordings: [] }),
    "dialog.0.recording_set",
    "Dialog Object / recording_set",
  ],
  ["url", dialog(0, { url: "http://example.com/a" }), "dialog.0.url", "Dialog Object / url"],
  [
    "content-hash-missing",
    dialog(0, { content_hash: undefined }),
    "dialog.0.content_hash",
    "Dialog Object / content_hash",
  ],
  [
    "content-hash-missing",
    dialog(0, { content_hash: [] }),
    "dialog.0.content_hash",
    "Dialog Object / content_hash",
  ],
  [
    "content-hash",
    dialog(0, { content_hash: "abc" }),
    "dialog.0.content_hash",
    "Dialog Object / content_hash",
  ],
  [
    "content-hash-length",
    dialog(0, { content_hash: ["sha256-AAAA"] }),
    "dialog.0.content_hash.0",
    "Dialog Object / content_hash",
  ],
  [
    "old-hash",
    dialog(0, { content_hash: undefined, alg: "SHA-512", signature: "AAAA" }),
    "dialog.0.signature",
    "Dialog Object / signature",
  ],
  [
    "inline-and-external",
    dialog(0, { body: "AAAA", encoding: "base64url" }),
    "dialog.0.url",
    "Dialog Object / url",
  ],
  ["encoding-missing", dialog(1, { encoding: undefined }), "dialog.1.encoding", "Dialog Object / encoding"],
  ["encoding", dialog(1, { encoding: "utf-8" }), "dialog.1.encoding", "Dialog Object / encoding"],
  ["body-not-text", dialog(1, { body: { a: 1 } }), "dialog.1.body", "Dialog Object / body"],
  ["body-base64url", attachment({ body: "SGk=" }), "attachments.0.body", "Attachment Object / body"],
  ["body-base64url", attachment({ body: "a+b/" }), "attachments.0.body", "Attachment Object / body"],
  ["body-base64url", attachment({ body: "AAAAA" }), "attachments.0.body", "Attachment Object / body"],
  ["mediatype", dialog(1, { mediatype: "text" }), "dialog.1.mediatype", "Dialog Object / mediatype"],
  [
    "mediatype-missing",
    dialog(1, { mediatype: undefined }),
    "dialog.1.mediatype",
    "Dialog Object / mediatype",
  ],
  [
    "party-history-member-missing",
    history({ event: undefined }),
    "dialog.0.party_history.0.event",
    "Party History Object / event",
  ],
  [
    "party-history-event",
    history({ event: "sneeze" }),
    "dialog.0.party_history.0.event",
    "Party History Object / event",
  ],
  [
    "button-missing",
    history({ button: undefined }),
    "dialog.0.party_history.0.button",
    "Party History Object / button",
  ],
  ["analysis-type-missing", analysis({ type: undefined }), "analysis.0.type", "Analysis Object / type"],
  ["vendor-missing", analysis({ vendor: undefined }), "analysis.0.vendor", "Analysis Object / vendor"],
  [
    "attachment-member-missing",
    attachment({ party: undefined }),
    "attachments.0.party",
    "Attachment Object / party",
  ],
  ["sealed-for-nobody", { ...signedGood, signatures: [] }, "signatures", "Signed Form / signatures"],
  ["sealed-for-nobody", encrypted({ recipients: [] }), "recipients", "Encrypted Form / recipients"],
  ["jose-base64url", { ...signedGood, payload: "a+b" }, "payload", "Signed Form / payload"],
  ["jose-base64url", encrypted({ tag: "AA==" }), "tag", "Encrypted Form / tag"],
  [
    "protected-header",
    signed({ protected: "AAAA" }),
    "signatures.0.protected",
    "Signed Form / signatures / protected",
  ],
  [
    "signature-member-missing",
    signed({ signature: undefined }),
    "signatures.0.signature",
    "Signed Form / signatures / signature",
  ],
  [
    "header-contradiction",
    signed({ header: { alg: "ES256", x5c: ["AAAA"], uuid: good.uuid } }),
    "signatures.0.header.alg",
    "Signed Form / signatures / header / alg",
  ],
  [
    "header-contradiction",
    encrypted({ unprotected: { ...encryptedGood.unprotected, enc: "A128GCM" } }),
    "unprotected.enc",
    "Encrypted Form / unprotected / enc",
  ],
  [
    "signature-algorithm-missing",
    signed({ protected: { x5c: ["AAAA"] }, header: { uuid: good.uuid } }),
    "signatures.0.header.alg",
    "Signed Form / signatures / header / alg",
  ],
  [
    "signature-algorithm-missing",
    signed({ protected: { alg: "none", x5c: ["AAAA"] }, header: { uuid: good.uuid } }),
    "signatures.0.header.alg",
    "Signed Form / signatures / header / alg",
  ],
  [
    "certificate-missing",
    signed({ protected: { alg: "RS256" }, header: { alg: "RS256", uuid: good.uuid } }),
    "signatures.0.header.x5c",
    "Signed Form / signatures / header / x5c",
  ],
  [
    "certificate-form",
    signed({ protected: { alg: "RS256" }, header: { alg: "RS256", x5c: ["not base64!"], uuid: good.uuid } }),
    "signatures.0.header.x5c",
    "Signed Form / signatures / header / x5c",
  ],
  [
    "certificate-form",
    signed({
      protected: { alg: "RS256" },
      header: { alg: "RS256", x5u: "http://example.com/c", uuid: good.uuid },
    }),
    "signatures.0.header.x5u",
    "Signed Form / signatures / header / x5u",
  ],
  ["encrypted-member-missing", encrypted({ iv: undefined }), "iv", "Encrypted Form / iv"],
  [
    "encryption-missing",
    encrypted({ protected: undefined, unprotected: { uuid: good.uuid, cty: "application/vcon" } }),
    "unprotected.enc",
    "Encrypted Form / unprotected / enc",
  ],
  [
    "key-encryption-missing",
    encrypted({ recipients: [{ encrypted_key: "AAAA" }] }),
    "recipients.0.header.alg",
    "Encrypted Form / recipients / header / alg",
  ],
];

/** Advice of the draft. */
const should: readonly Row[] = [
  ["uuid-version", whole({ uuid: "019daf60-0b52-4b85-b708-0d221ebaf96f" }), "uuid", "vCon Object / uuid"],
  [
    "date-profile",
    whole({ created_at: "2026-04-21T09:30:00.000Z" }),
    "created_at",
    "vCon Object / created_at",
  ],
  ["date-profile", dialog(0, { start: "2026-04-21t09:30:00z" }), "dialog.0.start", "Dialog Object / start"],
  [
    "no-list",
    {
      ...signedGood,
      signatures: undefined,
      payload: undefined,
      vcon: "0.4.0",
      uuid: good.uuid,
      parties: null,
    },
    "",
    "vCon Object",
  ],
  ["removed-member", whole({ group: [] }), "group", "vCon Object / group"],
  ["removed-member", party({ timezone: "UTC" }), "parties.0.timezone", "Party Object / timezone"],
  ["redacted-uuid-missing", redacted({ uuid: undefined }), "redacted.uuid", "Redacted Object / uuid"],
  ["tel", party({ tel: "one two" }), "parties.0.tel", "Party Object / tel"],
  ["sip", party({ sip: "ann" }), "parties.0.sip", "Party Object / sip"],
  ["mailto", party({ mailto: "ann" }), "parties.0.mailto", "Party Object / mailto"],
  ["stir", party({ stir: "a.b" }), "parties.0.stir", "Party Object / stir"],
  ["gmlpos", party({ gmlpos: "91 0" }), "parties.0.gmlpos", "Party Object / gmlpos"],
  [
    "validation-missing",
    party({ validation: undefined }),
    "parties.0.validation",
    "Party Object / validation",
  ],
  ["party-type", party({ type: "robot" }), "parties.0.type", "Party Object / type"],
  [
    "civicaddress-case",
    party({ civicaddress: { Country: "AT" } }),
    "parties.0.civicaddress.Country",
    "Party Object / civicaddress / Country",
  ],
  [
    "extension-undeclared",
    whole({ extensions: undefined, critical: undefined }),
    "parties.0.role",
    "Party Object / role",
  ],
  ["dialog-member-recommended", dialog(0, { start: undefined }), "dialog.0.start", "Dialog Object / start"],
  [
    "disposition-needless",
    dialog(0, { disposition: "busy" }),
    "dialog.0.disposition",
    "Dialog Object / disposition",
  ],
  [
    "content-missing",
    dialog(1, { body: undefined, encoding: undefined }),
    "dialog.1.body",
    "Dialog Object / body",
  ],
  [
    "dialog-mediatype",
    dialog(1, { mediatype: "image/png" }),
    "dialog.1.mediatype",
    "Dialog Object / mediatype",
  ],
  ["originator-needless", dialog(0, { originator: 0 }), "dialog.0.originator", "Dialog Object / originator"],
  [
    "session-id-uuid",
    dialog(0, { session_id: [{ local: "abc" }, {}] }),
    "dialog.0.session_id.0.local",
    "Dialog Object / session_id / local",
  ],
  ["session-id-order", dialog(0, { session_id: [{}] }), "dialog.0.session_id", "Dialog Object / session_id"],
  [
    "recording-set-not-named",
    dialog(0, { recording_set: undefined }),
    "dialog.3.recordings.0",
    "Dialog Object / recordings",
  ],
  [
    "content-hash-algorithm",
    dialog(0, { content_hash: "md5-AAAA" }),
    "dialog.0.content_hash",
    "Dialog Object / content_hash",
  ],
  ["body-json-text", analysis({ body: '{"a":1}' }), "analysis.0.body", "Analysis Object / body"],
  ["analysis-type", analysis({ type: "mood" }), "analysis.0.type", "Analysis Object / type"],
  [
    "analysis-mediatype-missing",
    analysis({ mediatype: undefined }),
    "analysis.0.mediatype",
    "Analysis Object / mediatype",
  ],
  [
    "purpose-not-named",
    attachment({ purpose: undefined, type: "contract" }),
    "attachments.0.type",
    "Attachment Object / type",
  ],
  [
    "signature-algorithm",
    signed({
      protected: { alg: "ES256", x5c: ["AAAA"] },
      header: { alg: "ES256", x5c: ["AAAA"], uuid: good.uuid },
    }),
    "signatures.0.header.alg",
    "Signed Form / signatures / header / alg",
  ],
  [
    "header-unprotected",
    signed({ header: { uuid: good.uuid } }),
    "signatures.0.header.alg",
    "Signed Form / signatures / header / alg",
  ],
  [
    "header-uuid-missing",
    signed({ header: { alg: "RS256", x5c: ["AAAA"] } }),
    "signatures.0.header.uuid",
    "Signed Form / signatures / header / uuid",
  ],
  [
    "encryption",
    encrypted({ protected: undefined, unprotected: { ...encryptedGood.unprotected, enc: "A128GCM" } }),
    "unprotected.enc",
    "Encrypted Form / unprotected / enc",
  ],
  [
    "content-type",
    encrypted({ unprotected: { uuid: good.uuid } }),
    "unprotected.cty",
    "Encrypted Form / unprotected / cty",
  ],
  [
    "key-encryption",
    encrypted({ recipients: [{ header: { alg: "RSA1_5" }, encrypted_key: "AAAA" }] }),
    "recipients.0.header.alg",
    "Encrypted Form / recipients / header / alg",
  ],
];

const goods = [good, signedGood, encryptedGood];

test.each(goods)("a good document has no findings: %#", (document) => {
  expect(validate(document)).toEqual([]);
  expect(validate(document, { mode: "lenient" })).toEqual([]);
});

describe.each([
  { kind: "essential", rows: essential, strict: "error", lenient: "error" },
  { kind: "must", rows: must, strict: "error", lenient: "warning" },
  { kind: "should", rows: should, strict: "warning", lenient: "warning" },
] as const)("$kind", ({ rows, strict, lenient }) => {
  test.each(rows)("%s: %j", (rule, document, path, section) => {
    for (const [mode, severity] of [
      ["strict", strict],
      ["lenient", lenient],
    ] as const) {
      const found = validate(document, { mode }).filter((finding) => finding.rule === rule);
      expect(found.map((finding) => finding.path.join("."))).toContain(path);
      const finding = found.find((each) => each.path.join(".") === path);
      expect(finding).toMatchObject({ severity, section });
      // One line that says what to do.
      expect(finding?.message).toMatch(/^[^\n]{15,300}$/);
    }
  });
});

test("every rule has a document that breaks it", () => {
  const rules = new Set(Object.values(ruleTables).flatMap((table) => table.map(({ rule }) => rule)));
  const tested = new Set([...essential, ...must, ...should].map(([rule]) => rule));
  expect([...rules].filter((rule) => !tested.has(rule))).toEqual([]);
});
