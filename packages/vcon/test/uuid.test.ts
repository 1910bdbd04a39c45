import { expect, test } from "vitest";
import { newUuid } from "../src/index.ts";

test("lays out time, random bits and the high 62 bits of the domain's SHA-1", async () => {
  // SHA-1("example.com") = 0caaf24ab1a0c334 ..., high 62 bits behind the variant: 832abc92ac6830cd
  const uuid = await newUuid({ domain: "example.com", now: Date.UTC(2026, 0, 1), random: () => 0.5 });
  expect(uuid).toBe("019b76da-a800-8800-832a-bc92ac6830cd");
  expect(await newUuid({ domain: "example.com", now: Date.UTC(2026, 0, 1), random: () => 0.5 })).toBe(uuid);
});

test("never gives the same one twice, and sorts by time", async () => {
  const uuids = await Promise.all(Array.from({ length: 20_000 }, () => newUuid({ domain: "example.com" })));
  expect(new Set(uuids).size).toBe(uuids.length);
  expect(uuids.toSorted()).toEqual(uuids);
  for (const uuid of uuids)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
