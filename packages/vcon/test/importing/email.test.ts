import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { importEmail, importEmails } from "../../src/importing/email.ts";
import { importMbox } from "../../src/importing/mbox.ts";
import { bytesOf, errorsOf, inNew } from "./imported.ts";

const plain = [
  "From: Ann Lee <ann@example.com>",
  "To: Bob <bob@example.org>, Support: cara@example.org, dan@example.org;",
  "Cc: ANN@example.com",
  "Date: Wed, 4 Mar 2026 11:00:00 +0100",
  "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=",
  "Message-ID: <1@example.com>",
  "MIME-Version: 1.0",
];

function message(headers: readonly string[], body: string): string {
  return [...headers, "", body].join("\r\n");
}

test("a message becomes a text dialog of its parties, decoded", async () => {
  const text = message(
    [...plain, "Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: quoted-printable"],
    "Sch=F6ne Gr=FC=DFe,=\r\n Ann",
  );
  const vcon = inNew(await importEmail(text));
  expect(vcon.subject).toBe("Grüße");
  expect(vcon.parties).toEqual([
    { mailto: "ann@example.com", name: "Ann Lee" },
    { mailto: "bob@example.org", name: "Bob" },
    { mailto: "cara@example.org" },
    { mailto: "dan@example.org" },
  ]);
  expect(vcon.dialog).toEqual([
    {
      type: "text",
      start: "2026-03-04T10:00:00Z",
      parties: [0, 1, 2, 3],
      mediatype: "text/plain",
      body: expect.stringMatching(/^Schöne Grüße, Ann\s*$/),
      encoding: "none",
      message_id: "<1@example.com>",
    },
  ]);
  expect(errorsOf(vcon)).toEqual([]);
});

test("parts: the text is the dialog, files and forwarded messages are attachments", async () => {
  const parts = message(
    [...plain, 'Content-Type: multipart/mixed; boundary="b"'],
    [
      "--b",
      'Content-Type: multipart/alternative; boundary="c"',
      "",
      "--c",
      "Content-Type: text/plain",
      "",
      "See the picture",
      "--c",
      "Content-Type: text/html",
      "",
      "<p>See the <b>picture</b></p>",
      "--c--",
      "--b",
      "Content-Type: image/png",
      'Content-Disposition: attachment; filename="../../etc/shot.png"',
      "Content-Transfer-Encoding: base64",
      "",
      "iVBORw0KGgo=",
      "--b",
      "Content-Type: message/rfc822",
      "",
      "From: x@example.com\r\nSubject: inner\r\n\r\nforwarded",
      "--b--",
    ].join("\r\n"),
  );
  const vcon = inNew(await importEmail(parts));
  expect(vcon.dialog).toMatchObject([
    { mediatype: "text/plain", body: expect.stringContaining("See the picture") },
  ]);
  expect(vcon.attachments).toMatchObject([
    {
      mediatype: "image/png",
      filename: "shot.png",
      party: 0,
      dialog: 0,
      start: "2026-03-04T10:00:00Z",
      encoding: "base64url",
      body: "iVBORw0KGgo",
    },
    { mediatype: "message/rfc822" },
  ]);
  expect(errorsOf(vcon)).toEqual([]);
  const both = await importEmail(parts, { keepHtml: true });
  expect(both.attachments[0]).toMatchObject({
    mediatype: "text/html",
    body: expect.stringContaining("<b>picture</b>"),
  });
});

test("only HTML, no date, no sender: what there is", async () => {
  const { dialogs, parties } = await importEmail(
    message(["Subject: x", "Content-Type: text/html"], "<p>Hello</p>"),
  );
  expect(dialogs).toMatchObject([{ mediatype: "text/html", body: expect.stringContaining("<p>Hello</p>") }]);
  expect(dialogs[0]).not.toHaveProperty("start");
  expect(parties).toEqual([{}]);
});

describe("threads", () => {
  const at = (id: string, date: string, from: string) =>
    message(
      [`From: ${from}`, "To: bob@example.org", `Date: ${date}`, `Message-ID: <${id}>`, `Subject: ${id}`],
      id,
    );
  const thread = [
    at("2", "Wed, 4 Mar 2026 12:00:00 +0000", "cara@example.com"),
    at("1", "Wed, 4 Mar 2026 10:00:00 +0000", "ann@example.com"),
    at("2", "Wed, 4 Mar 2026 12:00:00 +0000", "cara@example.com"),
  ];

  test("are in order of time, each Message-ID once, each party once", async () => {
    const vcon = inNew(await importEmails(thread));
    expect(vcon.subject).toBe("1");
    expect(vcon.dialog?.map(({ message_id, parties }) => [message_id, parties])).toEqual([
      ["<1>", [0, 1]],
      ["<2>", [2, 1]],
    ]);
    expect(vcon.parties?.map(({ mailto }) => mailto)).toEqual([
      "ann@example.com",
      "bob@example.org",
      "cara@example.com",
    ]);
  });

  test("a mailbox file, with quoted lines", async () => {
    const mbox = thread
      .map(
        (each) =>
          `From x@example.com Wed Mar  4 10:00:00 2026\n${each.replaceAll("\r\n", "\n")}\n>From the start\n\n`,
      )
      .join("");
    const { dialogs } = await importMbox(bytesOf(mbox));
    expect(dialogs).toHaveLength(2);
    expect(dialogs[0]?.body).toMatch(/^1\nFrom the start\s*$/);
  });

  test("an error says which message it was", async () => {
    await expect(importEmails([thread[0] ?? "", "no mail"])).rejects.toMatchObject({
      code: "invalid_import",
      message: expect.stringMatching(/^Message 2 of 2: This is no e-mail/),
    });
    await expect(importMbox(bytesOf("no mailbox"))).rejects.toMatchObject({ code: "invalid_import" });
  });
});

test.each(["", "hello", "x".repeat(1_000_000), "\u0000".repeat(1000)])(
  "what is no e-mail is refused: %#",
  async (text) => {
    await expect(importEmail(text)).rejects.toMatchObject({ code: "invalid_import" });
  },
);

test("parts nested without end", async () => {
  const nested = Array.from(
    { length: 5000 },
    (_, depth) => `Content-Type: multipart/mixed; boundary="b${depth}"\r\n\r\n--b${depth}\r\n`,
  ).join("");
  const result = await importEmail(`From: a@example.com\r\n${nested}`).then(
    ({ dialogs }) => dialogs.length,
    (error: { code: string }) => error.code,
  );
  expect([1, "invalid_import"]).toContain(result);
});

const examples = new URL("../../../../../shared/data/ietf-examples/", import.meta.url);

test.skipIf(!existsSync(examples))("the working group's e-mails", async () => {
  const read = (name: string) => readFileSync(new URL(name, examples));
  const image = await importEmail(read("email_acct_prob_bob_image.txt"));
  expect(image).toMatchObject({
    subject: "Account problem",
    dialogs: [{ type: "text" }],
    attachments: [{ mediatype: "image/png" }],
  });
  const thread = await importEmails(
    [
      "email_prob_followup_alice.txt",
      "email_prob_followup_bob_reply.txt",
      "email_prob_followup_alice_ack.txt",
    ].map(read),
  );
  expect(thread.parties).toHaveLength(2);
  expect(errorsOf(inNew(thread))).toEqual([]);
});
