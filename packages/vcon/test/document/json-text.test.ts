import { expect, it } from "vitest";
import { tokensOf } from "../../src/index.ts";

it("the tokens of a JSON text come in its order, as they are spelled", () => {
  const text = ' {"a\\"]": [1.50, -2e3,true , null],"b":{}, "c":"\\\\","":"x:,{"}\n';
  expect([...tokensOf(text)]).toEqual([
    "{",
    '"a\\"]"',
    "[",
    "1.50",
    "-2e3",
    "true",
    "null",
    "]",
    '"b"',
    "{",
    "}",
    '"c"',
    '"\\\\"',
    '""',
    '"x:,{"',
    "}",
  ]);
  expect([...tokensOf(" 12 ")]).toEqual(["12"]);
});
