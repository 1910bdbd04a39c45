import { describe, expect, it } from "vitest";
import { addressKey, RateLimit } from "../../src/access/rate-limit.ts";

describe("a limit", () => {
  it("allows so many in a window, for each key", () => {
    let now = 1_000_000;
    const limit = new RateLimit({ limit: 2, windowMs: 1000, now: () => now });
    expect(limit.take("a")).toEqual({ allowed: true, limit: 2, remaining: 1, resetSeconds: 1 });
    expect(limit.take("a").allowed).toBe(true);
    now += 999;
    expect(limit.take("a")).toEqual({ allowed: false, limit: 2, remaining: 0, resetSeconds: 1 });
    expect(limit.take("b").allowed).toBe(true);
    now += 1;
    expect(limit.take("a").allowed).toBe(true);
  });

  it("of 0 is none", () => {
    const limit = new RateLimit({ limit: 0 });
    expect(Array.from({ length: 1000 }, () => limit.take("a").allowed)).not.toContain(false);
  });

  it("keeps so many keys in mind, the newest", () => {
    const limit = new RateLimit({ limit: 1, mostKeys: 3 });
    for (const key of ["a", "b", "c", "d"]) limit.take(key);
    expect(["d", "c", "b"].map((key) => limit.take(key).allowed)).toEqual([false, false, false]);
    expect(limit.take("a").allowed).toBe(true);
  });
});

it.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["not an address", "not an address"],
])("%s counts as %s", (address, key) => {
  expect(addressKey(address)).toBe(key);
});
