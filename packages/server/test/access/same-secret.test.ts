import { expect, it } from "vitest";
import { sameSecret } from "../../src/access/same-secret.ts";

it.each([
  ["a secret", "a secret", true],
  ["", "", true],
  ["a secret", "a secreT", false],
  ["a secret", "a secret ", false],
  ["a secret", "", false],
])("%j and %j: %s", (a, b, same) => {
  expect(sameSecret(a, b)).toBe(same);
});
