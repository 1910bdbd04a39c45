import { expect, test } from "vitest";
import { describe, parseDate, partyKey, searchText } from "../src/index.ts";

test("party keys are the same however the address is written", () => {
  for (const tel of ["+1-555-0100", "tel:+15550100", "+1 (555) 0100", "TEL:+1.555.0100;ext=7"]) {
    expect(partyKey("tel", tel)).toBe("tel:+15550100");
  }
  for (const mail of ["Ann@Example.com", "mailto:ann@example.com?subject=x", "Ann Lee <ann@example.com>"]) {
    expect(partyKey("mailto", mail)).toBe("mailto:ann@example.com");
  }
  expect(partyKey("name", "  Ann\n LEE ")).toBe("name:ann lee");
  expect(partyKey("tel", " tel: ")).toBeUndefined();
});

test("a description holds what a list needs", () => {
  const value = {
    uuid: "u",
    subject: "A\u0000 call\n",
    created_at: 1_772_359_200,
    parties: [
      { tel: "+1-555-0100", name: "Ann" },
      { mailto: "B@example.com", tel: null },
      { name: "ann" },
      {},
    ],
  };
  expect(describe(value, "unsigned")).toEqual({
    subject: "A call",
    createdAt: new Date("2026-03-01T10:00:00Z"),
    parties: ["tel:+15550100", "name:ann", "mailto:b@example.com"],
  });
  expect(describe({ ...value, payload: "x" }, "signed")).toEqual({
    subject: undefined,
    createdAt: undefined,
    parties: [],
  });
});

test("dates of every spelling seen", () => {
  const time = Date.UTC(2022, 4, 18, 23, 5, 5);
  for (const date of [
    "2022-05-18T23:05:05Z",
    "2022-05-18t23:05:05.000+00:00",
    "2022-05-19T01:05:05+0200",
    "2022-05-18 23:05:05",
    "Wed, 18 May 2022 23:05:05 -0000",
    "18 May 2022 23:05:05 GMT",
    time / 1000,
    time,
  ]) {
    expect(parseDate(date), String(date)).toBe(time);
  }
  expect(parseDate("2022-05-18T23:05:05.987654321Z")).toBe(time + 987);
  for (const none of [
    "",
    "today",
    "2022-13-01T00:00:00Z",
    "0000-01-01",
    -5,
    0,
    1e300,
    Number.NaN,
    null,
    [],
    undefined,
  ]) {
    expect(parseDate(none), String(none)).toBeUndefined();
  }
});

test("search text gathers subject, names, words and summaries", () => {
  const vcon = {
    subject: "Boots",
    parties: [{ name: "Ann" }],
    dialog: [{ type: "text", body: "size 41" }],
    analysis: [
      { type: "summary", body: "wrong size" },
      { type: "report", body: "hidden" },
    ],
  };
  expect(searchText(vcon)).toBe("Boots\nAnn\nwrong size\nsize 41");
});

test("search text ends at 200 kB, at a whole character", () => {
  const text = searchText({ subject: `\u0000${"é😀".repeat(50_000)}`, dialog: [] });
  const bytes = Buffer.byteLength(text);
  expect(bytes).toBeLessThanOrEqual(200_000);
  expect(bytes).toBeGreaterThan(199_990);
  expect(text).not.toContain("\ufffd");
  expect(text).not.toContain("\u0000");
});
