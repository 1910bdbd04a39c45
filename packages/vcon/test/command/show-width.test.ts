import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countText, durationText, offsetText, sizeText } from "../../src/command/show-figures.ts";
import { visible, visibleLines } from "../../src/command/show-visible.ts";
import { clip, widthOf, wrap } from "../../src/command/show-width.ts";

test.each([
  ["plain", 5],
  ["Grüße", 5],
  ["e\u0301te\u0301", 3],
  ["漢字かな", 8],
  ["한국", 4],
  ["ｆｕｌｌ", 8],
  ["ﾊﾝｶｸ", 4],
  ["👍", 2],
  ["👩‍👩‍👧‍👦", 2],
  ["🇩🇪", 2],
  ["🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", 2],
  ["❤️", 2],
  ["❤", 1],
  ["→ – …", 5],
])("%s takes %d columns", (text, width) => {
  expect(widthOf(visible(text))).toBe(width);
});

describe("lines", () => {
  test("end at spaces, and within words that are too long", () => {
    expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
    expect(wrap("abcdefghij kl", 4)).toEqual(["abcd", "efgh", "ij", "kl"]);
    expect(wrap("", 8)).toEqual([""]);
  });

  test("keep an indent", () => {
    expect(wrap("  > one two three", 12)).toEqual(["  > one two", "  three"]);
  });

  test("end between wide characters, but do not begin with a full stop", () => {
    expect(wrap("日本語のテキストです。", 10)).toEqual(["日本語のテ", "キストで", "す。"]);
    expect(wrap("a 日本", 5)).toEqual(["a 日", "本"]);
  });

  test("never lose a character, and keep within the width", () => {
    const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 30 }), { maxLength: 10 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 10, max: 40 }), (words, width) => {
        const text = visible(words.join(" "));
        const lines = wrap(text, width);
        expect(lines.join("").replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
        expect(widthOf(clip(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe("what is visible", () => {
  test("stays as it is", () => {
    for (const text of ["Ünï 漢字 👍🏽 👩‍💻 ❤️", "می‌خواهم", "नमस्ते"]) expect(visible(text)).toBe(text);
  });

  test.each([
    ["\u001b[31m", "␛[31m"],
    ["x\ty", "x␉y"],
    ["a\u007f", "a␡"],
    ["\u0085", "<U+0085>"],
    ["\u2066", "<U+2066>"],
    ["a\u2028b", "a<U+2028>b"],
    ["\u{E0041}", "<U+E0041>"],
    ["\uDC00", "\uFFFD"],
  ])("%j is shown as %s", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test("lines stay lines, whatever ends them", () => {
    expect(visibleLines("a\r\nb\rc\u2028\td\n")).toEqual(["a", "b", "c", "  d", ""]);
  });

  test("a pile of marks does not cover other lines, and a name has an end", () => {
    expect(clip(`a${"\u0301".repeat(1000)}b`, 10).length).toBeLessThan(1100);
    expect(visible("x".repeat(1_000_000)).length).toBe(501);
  });
});

test("figures", () => {
  expect([0, 812, 1000, 15_840, 999_600, 3_200_000, 5e12].map(sizeText)).toEqual([
    "0 B",
    "812 B",
    "1.0 kB",
    "15.8 kB",
    "1.0 MB",
    "3.2 MB",
    "5.0 TB",
  ]);
  expect([0, 0.42, 9.97, 32, 59.6, 197.4, 3599.6, 3725, 86_400 * 3 + 14_400].map(durationText)).toEqual([
    "0s",
    "0.4s",
    "10s",
    "32s",
    "1m 00s",
    "3m 17s",
    "1h 00m",
    "1h 02m",
    "3d 4h",
  ]);
  expect([0, 12_900, 3_723_000].map(offsetText)).toEqual(["+00:00", "+00:12", "+1:02:03"]);
  expect([countText(1, "turn"), countText(1204, "word")]).toEqual(["1 turn", "1,204 words"]);
});
