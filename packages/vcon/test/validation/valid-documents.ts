import fc from "fast-check";

/* Documents that obey every MUST of the draft. */

const uuid = fc.constantFrom("019daf60-0b52-8b85-b708-0d221ebaf96f", "019daf60-0b52-4b85-b708-0d221ebaf96f");
const otherUuid = fc.constant("019daf60-0b52-8b85-b708-0d221ebaf970");
const date = fc
  .date({ min: new Date("1990-01-01T00:00:00Z"), max: new Date("2090-01-01T00:00:00Z"), noInvalidDate: true })
  .chain((time) =>
    fc.constantFrom(
      time.toISOString(),
      time.toISOString().replace("Z", "+02:00"),
      time.toISOString().toLowerCase(),
    ),
  );
const text = fc.string({ unit: "binary", maxLength: 12 });
const hash = fc.constantFrom(`sha512-${"-_A".repeat(28)}AB`, `sha256-${"a".repeat(43)}`, "md5-AAAA");
const hashes = fc.oneof(hash, fc.array(hash, { minLength: 1, maxLength: 2 }));
const base64url = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("base64url"));
const mediatype = fc.constantFrom(
  "text/plain",
  "audio/x-wav",
  'multipart/mixed; boundary="a b"',
  "image/png",
);

const content = fc.oneof(
  fc.constant({}),
  fc.record({ mediatype, encoding: fc.constant("none"), body: text }),
  fc.record({ mediatype, encoding: fc.constant("base64url"), body: base64url }),
  fc.record({ mediatype, encoding: fc.constant("json"), body: fc.jsonValue() }),
  fc.record({ url: fc.constant("https://example.com/a?b=c"), content_hash: hashes }),
  fc.constant({ body: "" }),
);

const party = fc.record(
  {
    name: text,
    tel: text,
    mailto: text,
    sip: text,
    uuid: text,
    validation: text,
    type: text,
    did: fc.constant("did:web:example.com"),
    civicaddress: fc.record({ country: text, pc: text }, { requiredKeys: [] }),
    x_extension: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

function index(count: number) {
  return fc.nat({ max: count - 1 });
}

function parties(count: number) {
  const one = index(count);
  const list = fc.array(one, { maxLength: 3 });
  return fc.oneof(one, list, fc.array(fc.oneof(one, list, fc.constant(null)), { maxLength: 3 }));
}

const session = fc.record({ local: text, remote: text }, { requiredKeys: [] });

function conversation(count: number) {
  const history = fc.oneof(
    fc.record({ party: index(count), time: date, event: fc.constantFrom("join", "drop", "mute") }),
    fc.record({ party: index(count), time: date, event: fc.constantFrom("keydown", "keyup"), button: text }),
  );
  return {
    start: date,
    duration: fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e6, noNaN: true })),
    parties: parties(count),
    originator: index(count),
    application: text,
    session_id: fc.oneof(
      session,
      fc.array(fc.oneof(session, fc.array(session, { maxLength: 2 })), { maxLength: 2 }),
    ),
    party_history: fc.array(history, { maxLength: 2 }),
  };
}

/** Dialog 0 is a recording and 1 its set, so that there is something to point at. */
function dialogs(count: number) {
  const media = (type: "recording" | "text") =>
    fc
      .tuple(
        fc.record(
          { type: fc.constant(type), ...conversation(count), message_id: text },
          { requiredKeys: ["type"] },
        ),
        content,
      )
      .map(([dialog, inside]) => ({ ...dialog, ...inside }));
  const incomplete = fc.record(
    {
      type: fc.constant("incomplete"),
      ...conversation(count),
      disposition: fc.constantFrom("busy", "failed"),
    },
    { requiredKeys: ["type", "disposition"] },
  );
  const transfer = fc.record(
    {
      type: fc.constant("transfer"),
      start: date,
      transferee: index(count),
      transferor: index(count),
      transfer_target: index(count),
      original: index(2),
      consultation: index(2),
      target_dialog: index(2),
    },
    { requiredKeys: ["type"] },
  );
  const set = fc.record(
    { type: fc.constant("recording-set"), ...conversation(count), recordings: fc.constant([0]) },
    { requiredKeys: ["type", "recordings"] },
  );
  const first = fc
    .tuple(media("recording"), fc.constantFrom({}, { recording_set: 1 }))
    .map(([recording, inSet]) => ({ ...recording, ...inSet }));
  const others = fc.array(fc.oneof(media("recording"), media("text"), incomplete, transfer, set), {
    maxLength: 4,
  });
  return fc.tuple(first, set, others).map(([recording, its, rest]) => [recording, its, ...rest]);
}

function withContent<Members extends object>(members: fc.Arbitrary<Members>) {
  return fc.tuple(members, content).map(([entry, inside]) => ({ ...entry, ...inside }));
}

const indices = fc.oneof(index(2), fc.array(index(2), { maxLength: 2 }));
const analysis = withContent(
  fc.record(
    { type: text, vendor: text, product: text, schema: text, dialog: indices },
    { requiredKeys: ["type", "vendor"] },
  ),
);

function attachment(count: number) {
  return withContent(
    fc.record(
      { purpose: text, start: date, party: index(count), dialog: index(2) },
      { requiredKeys: ["start", "party", "dialog"] },
    ),
  );
}

const reference = fc.oneof(
  fc.constant({}),
  fc.record({ redacted: fc.record({ uuid: otherUuid, type: text }, { requiredKeys: ["type"] }) }),
  fc.record({ amended: fc.record({ uuid: otherUuid }) }),
  fc.record({ amended: fc.record({ url: fc.constant("https://example.com/"), content_hash: hashes }) }),
);

export const validDocument: fc.Arbitrary<object> = fc.integer({ min: 1, max: 4 }).chain((count) =>
  fc
    .tuple(
      fc.record(
        {
          vcon: fc.constant("0.4.0"),
          uuid,
          created_at: date,
          updated_at: date,
          subject: text,
          extensions: fc.array(text, { maxLength: 2 }),
          critical: fc.array(text, { maxLength: 2 }),
          parties: fc.array(party, { minLength: count, maxLength: count }),
          dialog: dialogs(count),
          analysis: fc.array(analysis, { maxLength: 2 }),
          attachments: fc.array(attachment(count), { maxLength: 2 }),
          x_extension: fc.jsonValue(),
        },
        { requiredKeys: ["uuid", "created_at", "parties", "dialog"] },
      ),
      reference,
    )
    .map(([document, given]) => ({ ...document, ...given })),
);
