import fc from "fast-check";
import { expect, test } from "vitest";
import { addImported } from "../../src/importing/add-imported.ts";
import type { Imported } from "../../src/importing/imported.ts";
import { errorsOf, inNew } from "./imported.ts";

const nothing: Imported = { parties: [], dialogs: [], analyses: [], attachments: [] };
const text = (parties: number[], body: string, more = {}) => ({
  type: "text",
  start: "2026-03-04T10:00:00Z",
  parties,
  mediatype: "text/plain",
  body,
  encoding: "none",
  ...more,
});

const first: Imported = {
  subject: "One",
  parties: [{ name: "Ann", mailto: "ann@example.com" }, { name: "Bob" }],
  dialogs: [text([0, 1], "Hello", { message_id: "<1>" })],
  analyses: [
    { type: "summary", vendor: "x", dialog: 0, mediatype: "text/plain", body: "s", encoding: "none" },
  ],
  attachments: [
    {
      start: "2026-03-04T10:00:00Z",
      party: 1,
      dialog: 0,
      mediatype: "text/plain",
      body: "a",
      encoding: "none",
    },
  ],
};

test("indices move along; parties are found again by their addresses, or names", () => {
  const vcon = inNew(first);
  const second: Imported = {
    subject: "Two",
    parties: [{ name: "Cara" }, { mailto: "ANN@example.com", tel: "tel:+12025550101" }, { name: "Bob" }],
    dialogs: [text([0, 1, 2], "Hi")],
    analyses: [
      {
        type: "summary",
        vendor: "x",
        dialog: 0,
        attachment: 0,
        mediatype: "text/plain",
        body: "t",
        encoding: "none",
      },
    ],
    attachments: [
      {
        start: "2026-03-04T11:00:00Z",
        party: 0,
        dialog: 0,
        mediatype: "text/plain",
        body: "b",
        encoding: "none",
      },
    ],
    extensions: ["wtf_transcription"],
  };
  const both = addImported(vcon, second);
  expect(both.subject).toBe("One");
  expect(both.parties).toEqual([
    { name: "Ann", mailto: "ann@example.com", tel: "tel:+12025550101" },
    { name: "Bob" },
    { name: "Cara" },
  ]);
  expect(both.dialog?.[1]?.parties).toEqual([2, 0, 1]);
  expect(both.analysis?.[1]).toMatchObject({ dialog: 1, attachment: 1 });
  expect(both.attachments?.[1]).toMatchObject({ party: 2, dialog: 1 });
  expect(both.extensions).toEqual(["wtf_transcription"]);
  expect(errorsOf(both)).toEqual([]);
});

test("the same again adds nothing, and gives the very same vCon back", () => {
  const vcon = inNew(first);
  expect(addImported(vcon, first)).toBe(vcon);
  expect(addImported(vcon, nothing)).toBe(vcon);
});

test("twice the same is once, whatever it is; what is there keeps its place", () => {
  const party = fc.record(
    {
      name: fc.constantFrom("Ann", "Bob", "Cara"),
      mailto: fc.constantFrom("a@example.com", "b@example.com"),
    },
    { requiredKeys: ["name"] },
  );
  const imported = fc.array(party, { minLength: 1, maxLength: 4 }).chain((parties) => {
    const index = fc.nat(parties.length - 1);
    return fc.array(fc.tuple(index, fc.constantFrom("x", "y", "z"), fc.nat(3)), { maxLength: 5 }).map(
      (messages): Imported => ({
        ...nothing,
        parties,
        dialogs: messages.map(([from, body, id]) => text([from], body, { message_id: `<${id}>` })),
      }),
    );
  });
  fc.assert(
    fc.property(imported, imported, (a, b) => {
      const vcon = inNew(a);
      const both = addImported(vcon, b);
      expect(both.dialog?.slice(0, vcon.dialog?.length)).toEqual(vcon.dialog);
      expect(addImported(both, b).dialog).toEqual(both.dialog);
      expect(addImported(both, b).parties).toHaveLength(both.parties?.length ?? 0);
      expect(errorsOf(both)).toEqual([]);
    }),
  );
});

test("equal messages stay as many as they are, and come again only once", () => {
  const ok = text([0], "ok");
  const chat: Imported = { ...nothing, parties: [{ name: "Ann" }], dialogs: [ok, ok, ok] };
  const vcon = inNew(chat);
  expect(vcon.dialog).toHaveLength(3);
  expect(addImported(vcon, chat)).toBe(vcon);
  expect(addImported(vcon, { ...chat, dialogs: [ok, ok, ok, ok] }).dialog).toHaveLength(4);
});

test("people of one name with addresses of their own are as many people; one without is the first", () => {
  const named = (parties: Imported["parties"]): Imported => ({ ...nothing, parties });
  const vcon = inNew(named([{ name: "Info" }, { name: "Info", mailto: "a@example.com" }]));
  const more = addImported(vcon, named([{ name: "Info", mailto: "b@example.com" }]));
  expect(more.parties).toEqual([
    { name: "Info", mailto: "b@example.com" },
    { name: "Info", mailto: "a@example.com" },
  ]);
  const again = addImported(more, named([{ name: "Info", mailto: "c@example.com" }, { name: "INFO" }]));
  expect(again.parties).toEqual([...(more.parties ?? []), { name: "Info", mailto: "c@example.com" }]);
});
