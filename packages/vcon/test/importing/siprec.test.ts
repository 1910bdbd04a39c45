import { expect, test } from "vitest";
import { importSiprec } from "../../src/importing/siprec.ts";
import { errorsOf, inNew } from "./imported.ts";

const metadata = `<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns='urn:ietf:params:xml:ns:recording:1'>
  <datamode>complete</datamode>
  <session session_id="hVpd7YQgRW2nD22h7q60JQ==">
    <sipSessionID>ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2</sipSessionID>
    <start-time>2026-03-04T10:00:00Z</start-time>
  </session>
  <participant participant_id="p1"><nameID aor="sip:bob@biloxi.example.com"><name xml:lang="en">Bob &amp; Co</name></nameID></participant>
  <participant participant_id="p2"><nameID aor="sip:+12025550101@paris.example.com;user=phone"/></participant>
  <participantsessionassoc participant_id="p1" session_id="hVpd7YQgRW2nD22h7q60JQ=="><associate-time>2026-03-04T10:00:00Z</associate-time><disassociate-time>2026-03-04T10:01:30Z</disassociate-time></participantsessionassoc>
  <participantsessionassoc participant_id="p2" session_id="hVpd7YQgRW2nD22h7q60JQ=="><associate-time>2026-03-04T10:00:05Z</associate-time><disassociate-time>2026-03-04T10:01:20.5Z</disassociate-time></participantsessionassoc>
</recording>`;

test("participants, session and who came and went when", async () => {
  const vcon = inNew(await importSiprec(metadata));
  expect(vcon.parties).toEqual([
    { sip: "sip:bob@biloxi.example.com", name: "Bob & Co" },
    { tel: "tel:+12025550101", sip: "sip:+12025550101@paris.example.com;user=phone" },
  ]);
  expect(vcon.dialog).toEqual([
    {
      type: "recording",
      start: "2026-03-04T10:00:00Z",
      duration: 90,
      parties: [0, 1],
      session_id: { local: "ab30317f1a784dc48ff824d0d3715d86", remote: "47755a9de7794ba387653f2099600ef2" },
      party_history: [
        { party: 0, event: "join", time: "2026-03-04T10:00:00Z" },
        { party: 1, event: "join", time: "2026-03-04T10:00:05Z" },
        { party: 1, event: "drop", time: "2026-03-04T10:01:20.500Z" },
        { party: 0, event: "drop", time: "2026-03-04T10:01:30Z" },
      ],
    },
  ]);
  expect(errorsOf(vcon)).toEqual([]);
});

test("prefixes of the namespace, several sessions, and none at all", async () => {
  const prefixed = metadata.replace(/<(\/?)(?=[a-z])/gi, "<$1rec:").replace("xmlns=", "xmlns:rec=");
  expect(await importSiprec(prefixed)).toEqual(await importSiprec(metadata));
  const two = metadata.replace(
    "</session>",
    '</session><session session_id="other"><start-time>2026-03-04T11:00:00Z</start-time></session>',
  );
  expect((await importSiprec(two)).dialogs.map(({ start, parties }) => [start, parties])).toEqual([
    ["2026-03-04T10:00:00Z", [0, 1]],
    ["2026-03-04T11:00:00Z", undefined],
  ]);
  const none = `<recording xmlns='urn:ietf:params:xml:ns:recording:1'><participant participant_id="a"><nameID aor="tel:+12025550101"/></participant></recording>`;
  expect(await importSiprec(none)).toMatchObject({
    parties: [{ tel: "tel:+12025550101" }],
    dialogs: [{ type: "recording", parties: [0] }],
  });
});

test.each([
  ["", /no well-formed XML|no element "recording"/],
  ["<recording>", /no well-formed XML/],
  ["<a/>", /no element "recording"/],
  ["<recording xmlns='urn:ietf:params:xml:ns:recording:1'><a/></recording>", /no participants/],
  [
    '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><recording>&b;</recording>',
    /document type declaration/,
  ],
  [
    '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><recording>&x;</recording>',
    /document type declaration/,
  ],
])("cannot be used: %s", async (text, message) => {
  await expect(importSiprec(text)).rejects.toMatchObject({
    code: "invalid_import",
    message: expect.stringMatching(message),
  });
});

const one = (inside: string) => `<recording xmlns='urn:ietf:params:xml:ns:recording:1'>${inside}</recording>`;

test("addresses of every kind; session ids only where they are some", async () => {
  const aors = ["tel:911", "TEL:+12025550101", "bob@example.com", "mailto:cara@example.com", "", "sip:"];
  const people = aors.map(
    (aor, i) => `<participant participant_id="${i}"><nameID aor="${aor}"/></participant>`,
  );
  const vcon = inNew(
    await importSiprec(
      one(`<session session_id="s"><sipSessionID>x;remote=y</sipSessionID></session>${people.join("")}`),
    ),
  );
  expect(vcon.parties).toEqual([
    { tel: "tel:911" },
    { tel: "tel:+12025550101" },
    { sip: "sip:bob@example.com" },
    { mailto: "cara@example.com" },
    {},
    {},
  ]);
  expect(vcon.dialog?.[0]).not.toHaveProperty("session_id");
  expect(errorsOf(vcon)).toEqual([]);
});

test("each of many sessions has its own people", async () => {
  const ids = Array.from({ length: 3000 }, (_, i) => `${i}`);
  const text = ids
    .map(
      (id) =>
        `<participant participant_id="${id}"/><session session_id="${id}"/><participantsessionassoc participant_id="${id}" session_id="${id}"/>`,
    )
    .join("");
  const { dialogs } = await importSiprec(one(text));
  expect(dialogs.map(({ parties }) => parties)).toEqual(ids.map((_, index) => [index]));
});

test("elements nested without end, names of prototypes, one line of a million characters", async () => {
  const deep = one(`${"<a>".repeat(100_000)}${"</a>".repeat(100_000)}`);
  await expect(importSiprec(deep)).rejects.toMatchObject({ code: "invalid_import" });
  await expect(importSiprec(one("<__proto__><participant/></__proto__>"))).rejects.toMatchObject({
    code: "invalid_import",
  });
  const long = "x".repeat(1_000_000);
  const { parties } = await importSiprec(
    one(
      `<participant participant_id="constructor"><nameID aor="sip:a@example.com"><name>${long}</name></nameID></participant>`,
    ),
  );
  expect(parties).toEqual([{ sip: "sip:a@example.com", name: long }]);
});
