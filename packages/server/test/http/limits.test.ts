import { afterAll, describe, expect, it } from "vitest";
import { makeToken, tokensOf } from "../access/credentials.ts";
import { startApi, type TestApi } from "./start-api.ts";

const apis: TestApi[] = [];
afterAll(async () => {
  for (const api of apis) await api.stop();
});

async function start(env: Readonly<Record<string, string>>): Promise<TestApi> {
  const api = await startApi({ env });
  apis.push(api);
  return api;
}

const statuses = async (count: number, send: (n: number) => Promise<{ readonly status: number }>) => {
  const all: number[] = [];
  for (let n = 0; n < count; n += 1) all.push((await send(n)).status);
  return all;
};

describe("refused credentials", async () => {
  const api = await start({ ACCESS: "on", AUTH_FAILURES_PER_MINUTE: "5" });
  const good = await makeToken(tokensOf(api));
  const bad = (n: number) => ({
    authorization: `Bearer vct_${"a".repeat(12)}_${String(n).padStart(43, "x")}`,
  });

  it("are told to wait after so many; good ones from the same address pass all the time", async () => {
    const seen = await statuses(8, (n) => api.call("GET", "/vcons", { headers: bad(n) }));
    expect(seen).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    const late = await api.call("GET", "/vcons", { headers: bad(9) });
    expect(late.headers.get("retry-after")).toMatch(/^[1-9]\d?$/);
    expect(late.text).not.toContain("no token");
    expect(await statuses(20, () => api.call("GET", "/vcons", { headers: good.headers }))).not.toContain(429);
    // Nor does a lot of good ones make room for more bad ones.
    expect((await api.call("GET", "/vcons", { headers: bad(10) })).status).toBe(429);
  });

  it("X-Forwarded-For does not make another address of it", async () => {
    const forwarded = await statuses(3, (n) =>
      api.call("GET", "/vcons", { headers: { ...bad(n), "x-forwarded-for": `192.0.2.${n}` } }),
    );
    expect(forwarded).toEqual([429, 429, 429]);
  });

  it("no credential at all is no refused one", async () => {
    expect(await statuses(10, () => api.call("GET", "/vcons"))).not.toContain(429);
  });
});

it("behind a proxy, TRUST_PROXY tells the addresses apart", async () => {
  const api = await start({ ACCESS: "on", AUTH_FAILURES_PER_MINUTE: "1", TRUST_PROXY: "on" });
  const send = (address: string) =>
    api.call("GET", "/vcons", { headers: { authorization: "Bearer vct_x", "x-forwarded-for": address } });
  expect(await statuses(3, (n) => send(`192.0.2.${n}`))).toEqual([401, 401, 401]);
  expect(await statuses(2, () => send("192.0.2.1"))).toEqual([429, 429]);
  // What the client wrote before the proxy did its part tells nothing.
  expect(await statuses(2, (n) => send(`203.0.113.${n}, 192.0.2.1`))).toEqual([429, 429]);
});

it("a principal has so many requests a minute, and others have theirs", async () => {
  const api = await start({ ACCESS: "on", RATE_LIMIT_PER_MINUTE: "3" });
  const [one, other] = [await makeToken(tokensOf(api)), await makeToken(tokensOf(api))];
  const first = await api.call("GET", "/vcons", { headers: one.headers });
  expect([first.headers.get("ratelimit-limit"), first.headers.get("ratelimit-remaining")]).toEqual([
    "3",
    "2",
  ]);
  expect(await statuses(3, () => api.call("GET", "/vcons", { headers: one.headers }))).toEqual([
    200, 200, 429,
  ]);
  expect((await api.call("GET", "/vcons", { headers: other.headers })).status).toBe(200);
});

it("an address has so many requests a minute; the health routes always answer", async () => {
  const api = await start({ ADDRESS_RATE_LIMIT_PER_MINUTE: "3" });
  expect(await statuses(5, () => api.call("GET", "/vcons"))).toEqual([200, 200, 200, 429, 429]);
  const refused = await api.call("GET", "/vcons");
  expect([refused.headers.get("retry-after"), refused.json]).toEqual([
    expect.stringMatching(/^[1-9]\d?$/),
    { code: "rate_limited", detail: expect.stringContaining("More than 3 requests a minute") },
  ]);
  expect((await api.call("GET", "/health/ready")).status).toBe(200);
});

describe("a browser", async () => {
  const api = await start({ ACCESS: "on", CORS_ORIGINS: "https://a.example , https://b.example," });
  const origin = { origin: "https://b.example" };

  it("may ask what it may send without a credential", async () => {
    const answer = await api.call("OPTIONS", "/vcons", {
      headers: {
        ...origin,
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
      },
    });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([
      204,
      "https://b.example",
    ]);
    expect(answer.headers.get("access-control-allow-headers")?.toLowerCase()).toContain("authorization");
  });

  it("can read why it was refused", async () => {
    const answer = await api.call("GET", "/vcons", { headers: origin });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([
      401,
      "https://b.example",
    ]);
    expect(answer.headers.get("access-control-expose-headers")).toContain("WWW-Authenticate");
  });

  it("from elsewhere is not answered to", async () => {
    const answer = await api.call("GET", "/vcons", { headers: { origin: "https://c.example" } });
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });
});
