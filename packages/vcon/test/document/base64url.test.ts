import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase64url, encodeBase64, encodeBase64url } from "../../src/document/base64url.ts";

test("says what Node's own codec says, for any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const url = Buffer.from(bytes).toString("base64url");
      const standard = Buffer.from(bytes).toString("base64");
      expect(encodeBase64url(bytes)).toBe(url);
      expect(encodeBase64(bytes)).toBe(standard);
      for (const text of [
        url,
        standard,
        standard.replaceAll("=", ""),
        `${standard.slice(0, 2)}\n ${standard.slice(2)}`,
      ]) {
        expect(decodeBase64url(text)).toEqual(new Uint8Array(bytes));
      }
    }),
  );
});

test.each(["A", "AAAAA", "AA*A", "AAé=", "AA\u0000A", "A😀"])("is no base64url: %j", (text) => {
  expect(decodeBase64url(text)).toBeUndefined();
});

test("large contents take one pass", () => {
  const bytes = new Uint8Array(5_000_000).map((_, index) => index * 7);
  expect(encodeBase64url(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
  expect(decodeBase64url(encodeBase64url(bytes))).toEqual(bytes);
});
