import { expect, it } from "vitest";
import { forAWhile } from "../../../src/faces/gateway/for-a-while.ts";

it("what is asked often is looked up once in a while, failures again at once", async () => {
  let [time, looks, isBroken] = [0, 0, false];
  const look = async (name: string) => {
    looks += 1;
    if (isBroken) throw new Error("broken");
    return `${name} ${looks}`;
  };
  const ask = forAWhile(look, { ms: 10, now: () => time });
  expect(await Promise.all([ask("a"), ask("a"), ask("b")])).toEqual(["a 1", "a 1", "b 2"]);
  time = 9;
  expect(await ask("a")).toBe("a 1");
  time = 10;
  isBroken = true;
  await expect(ask("a")).rejects.toThrow("broken");
  isBroken = false;
  expect(await ask("a")).toBe("a 4");
});
