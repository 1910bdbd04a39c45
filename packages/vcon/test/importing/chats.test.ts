import { describe, expect, test } from "vitest";
import { importChat } from "../../src/importing/chat-export.ts";
import type { Imported } from "../../src/importing/imported.ts";
import { errorsOf, inNew } from "./imported.ts";

function lines({ parties, dialogs }: Imported): readonly string[] {
  return dialogs.map(({ start, parties: who, body }) => {
    const [from] = Array.isArray(who) ? who : [];
    const party = typeof from === "number" ? parties[from] : undefined;
    return `${start} ${party?.name ?? party?.tel ?? party?.mailto}: ${body}`;
  });
}

describe("WhatsApp", () => {
  test("of iOS, with marks and lines of the system", () => {
    const chat = importChat(
      "[04.03.26, 10:15:03] Group: \u200eMessages are encrypted\n[04.03.26, 10:15:05] Ann Lee: Hello\nsecond line\n\u200e[04.03.26, 10:15:09] ~ Bob: \u200eimage omitted\n",
    );
    expect(lines(chat)).toEqual([
      "2026-03-04T10:15:05Z Ann Lee: Hello\nsecond line",
      "2026-03-04T10:15:09Z Bob: image omitted",
    ]);
    expect(chat.dialogs[0]).toMatchObject({ type: "text", application: "WhatsApp" });
    expect(errorsOf(inNew(chat))).toEqual([]);
  });

  test("of Android, twelve hours, month first; a number is a telephone number", () => {
    const chat = importChat(
      "3/14/26, 9:05 PM - Messages are encrypted\n3/14/26, 9:05 PM - +1 202-555-0101: Hi\n3/14/26, 9:06\u202fAM - Bob: Early: bird\n",
    );
    expect(lines(chat)).toEqual([
      "2026-03-14T21:05:00Z tel:+12025550101: Hi",
      "2026-03-14T09:06:00Z Bob: Early: bird",
    ]);
  });

  test("the order of day and month is what fits, or what is given; times are of the zone given", () => {
    const text = "04/03/2026, 10:00 - Ann: a\n13/03/2026, 10:00 - Ann: b\n";
    expect(lines(importChat(text))[0]).toMatch(/^2026-03-04T10:00:00Z/);
    const ambiguous = "04/03/2026, 10:00 - Ann: a\n";
    expect(lines(importChat(ambiguous, { dateOrder: "mdy" }))[0]).toMatch(/^2026-04-03/);
    expect(lines(importChat(ambiguous, { timezone: "America/New_York" }))[0]).toMatch(
      /^2026-03-04T15:00:00Z/,
    );
  });
});

test("Slack: people by their profiles, its markup as text", () => {
  const chat = importChat(
    JSON.stringify([
      { type: "message", subtype: "channel_join", user: "U1", text: "joined", ts: "1772618399.0" },
      {
        type: "message",
        user: "U1",
        text: "Hi <@U2>, see <https://example.com|this> &amp; that",
        ts: "1772618400.000100",
        user_profile: { real_name: "Ann Lee", email: "ann@example.com" },
        client_msg_id: "m1",
      },
      { type: "message", user: "U2", text: "Thanks", ts: "1772618460.5" },
      { type: "message", bot_id: "B1", username: "deploy", text: "done", ts: "1772618461" },
    ]),
  );
  expect(chat.parties).toEqual([
    { name: "Ann Lee", mailto: "ann@example.com" },
    { name: "U2" },
    { name: "deploy", type: "bot" },
  ]);
  expect(lines(chat)).toEqual([
    "2026-03-04T10:00:00Z Ann Lee: Hi @U2, see this (https://example.com) & that",
    "2026-03-04T10:01:00.500Z U2: Thanks",
    "2026-03-04T10:01:01Z deploy: done",
  ]);
  expect(chat.dialogs[0]).toMatchObject({ message_id: "m1", application: "Slack" });
});

test("CSV: quotes, separators, other columns", () => {
  const csv =
    'Timestamp;From;Message;Email\r\n2026-03-04T10:00:00Z;Ann;"Hello; ""you""\nthere";ann@example.com\r\n2026-03-04 11:00;Bob;Hi;\r\n';
  const chat = importChat(csv, { timezone: "+01:00" });
  expect(lines(chat)).toEqual([
    '2026-03-04T10:00:00Z Ann: Hello; "you"\nthere',
    "2026-03-04T10:00:00Z Bob: Hi",
  ]);
  expect(chat.parties[0]).toEqual({ name: "Ann", mailto: "ann@example.com" });
});

test("JSON of any program, by common names", () => {
  const chat = importChat(
    '{"messages":[{"timestamp":"2026-03-04T10:00:00Z","author":"Ann","content":"Hello"},{"other":1}]}',
  );
  expect(lines(chat)).toEqual(["2026-03-04T10:00:00Z Ann: Hello"]);
});

test.each(["", "nothing", "[]", "{}", '[{"a":1}]', "a,b\n1,2\n", "[".repeat(100_000), "x".repeat(1_000_000)])(
  "no chat: %#",
  (text) => {
    expect(() => importChat(text)).toThrow(expect.objectContaining({ code: "invalid_import" }));
  },
);

test("an unknown format, an unknown zone, a format that it is not", () => {
  // @ts-expect-error: for callers without types
  expect(() => importChat("x", { format: "telegram" })).toThrow(
    /There is no chat format telegram: use auto, whatsapp/,
  );
  expect(() => importChat("x", { timezone: "Mars" })).toThrow(/no time zone/);
  expect(() => importChat("[]", { format: "whatsapp" })).toThrow(
    expect.objectContaining({ code: "invalid_import" }),
  );
});

test("a date that the time zone moves out of the calendar is left out", () => {
  const chat = importChat("31/12/9999, 23:59 - Ann: a", { timezone: "-12:00" });
  expect(chat.dialogs).toMatchObject([{ body: "a" }]);
  expect(chat.dialogs[0]).not.toHaveProperty("start");
});

test("tables too wide to be one, and columns named like prototypes", () => {
  expect(() => importChat(`text,${",".repeat(100_000)}\n${"a,b\n".repeat(5000)}`)).toThrow(
    expect.objectContaining({ code: "invalid_import" }),
  );
  const chat = importChat("__proto__,text,sender\nx,hello,Ann\n");
  expect(chat).toMatchObject({ parties: [{ name: "Ann" }], dialogs: [{ body: "hello" }] });
});
