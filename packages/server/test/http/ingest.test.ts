import { createHmac } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import type { IngestRules } from "../../src/access/principal.ts";
import { makeToken, tokensOf } from "../access/credentials.ts";
import { vcon } from "./documents.ts";
import { startApi } from "./start-api.ts";

const api = await startApi({ env: { ACCESS: "on", HOOK_SECRET: "shared with the sender" } });
afterAll(() => api.stop());
const tokens = tokensOf(api);
const owner = await makeToken(tokens);
await api.call("POST", "/queue/calls", { headers: owner.headers });
await api.call("POST", "/queue/others", { headers: owner.headers });

async function key(rules: Partial<IngestRules> = {}) {
  const made = await makeToken(tokens, {
    scopes: ["vcon:ingest"],
    queues: ["calls"],
    ingest: { perMinute: 0, ...rules },
  });
  return made.headers;
}

const send = (headers: Readonly<Record<string, string>>, body: unknown, path = "/ingest/calls") =>
  api.call("POST", path, { headers, body });
const stored = async (uuid: string) =>
  (await api.call("GET", `/vcon/${uuid}`, { headers: owner.headers })).json;
const waiting = async () =>
  Object((await api.call("GET", "/queue/calls", { headers: owner.headers })).json).map(
    (job: { vcon_uuid: string[] }) => job.vcon_uuid[0],
  );

describe("an ingest key", () => {
  it("adds a vCon and queues it, both at once", async () => {
    const answer = await send(await key(), vcon("new"));
    expect([answer.status, answer.headers.get("location")]).toEqual([204, "/vcon/new"]);
    expect(await stored("new")).toEqual(vcon("new"));
    expect(await waiting()).toContain("new");
  });

  it("changes nothing that is there, its own neither, and queues nothing then", async () => {
    await send(await key(), vcon("kept"));
    const before = await waiting();
    for (const body of [vcon("kept", { subject: "other" }), vcon("kept")]) {
      const answer = await send(await key(), body);
      expect([answer.status, answer.text]).toEqual([409, expect.stringContaining("is there already")]);
    }
    expect(await stored("kept")).toEqual(vcon("kept"));
    expect(await waiting()).toEqual(before);
  });

  it("reads, lists and deletes nothing", async () => {
    const headers = await key();
    for (const [method, path] of [
      ["GET", "/vcon/new"],
      ["GET", "/vcons"],
      ["POST", "/vcon"],
      ["DELETE", "/vcon/new"],
      ["PUT", "/queue/calls"],
      ["GET", "/queue/calls"],
      ["GET", "/events"],
    ] as const) {
      const answer = await api.call(method, path, { headers, ...(method === "GET" ? {} : { body: {} }) });
      expect([path, answer.status]).toEqual([path, 403]);
    }
  });

  it("adds to its queue only", async () => {
    expect((await send(await key(), vcon("x1"), "/ingest/others")).status).toBe(403);
    expect(
      (await send(await key(), vcon("x1"), "/vcon/external-ingress?ingress_list=calls,others")).status,
    ).toBe(403);
    expect(await stored("x1")).toMatchObject({ code: "vcon_not_found" });
  });

  it("finds out what is wrong with what it sends; nothing is stored without its job", async () => {
    expect((await send(await key(), { not: "a vCon" })).status).toBe(422);
    const lost = await makeToken(tokens, {
      scopes: ["vcon:ingest"],
      queues: ["gone"],
      ingest: { perMinute: 0 },
    });
    expect((await send(lost.headers, vcon("x2"), "/ingest/gone")).status).toBe(404);
    expect(await stored("x2")).toMatchObject({ code: "vcon_not_found" });
  });

  it("sends in the conserver's way too", async () => {
    const made = await makeToken(tokens, {
      scopes: ["vcon:ingest"],
      queues: ["calls"],
      ingest: { perMinute: 0 },
    });
    const headers = { "x-conserver-api-token": made.text };
    const answer = await send(headers, vcon("conserved"), "/vcon/external-ingress?ingress_list=calls");
    expect(answer.status).toBe(204);
    expect(await waiting()).toContain("conserved");
  });

  it("may repeat a request with its Idempotency-Key", async () => {
    const headers = { ...(await key()), "idempotency-key": "once" };
    expect((await send(headers, vcon("repeated"))).status).toBe(204);
    const again = await send(headers, vcon("repeated"));
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([204, "true"]);
    expect((await waiting()).filter((uuid: string) => uuid === "repeated")).toHaveLength(1);
  });

  it("has its own limit", async () => {
    const headers = await key({ perMinute: 2 });
    const statuses: number[] = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await send(headers, vcon(`limited-${n}`))).status);
    expect(statuses).toEqual([204, 204, 429, 429]);
    expect((await send(await key({ perMinute: 2 }), vcon("limited-x"))).status).toBe(204);
  });

  it("of two senders of one uuid at once, one is taken", async () => {
    const headers = await key();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => send(headers, vcon("race", { subject: `${n}` }))),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([
      204,
      ...Array.from({ length: 7 }, () => 409),
    ]);
    expect((await waiting()).filter((uuid: string) => uuid === "race")).toHaveLength(1);
  });
});

describe("a signed body", () => {
  const sign = (body: string, secret = "shared with the sender") =>
    `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

  it("is taken when the signature fits its bytes", async () => {
    const headers = await key({ hmacSecret: "HOOK_SECRET" });
    // White space and a byte order mark count.
    const body = `\ufeff ${JSON.stringify(vcon("signed-1"), null, 3)}\n`;
    expect((await send({ ...headers, "x-hub-signature-256": sign(body) }, body)).status).toBe(204);
    const upper = JSON.stringify(vcon("signed-2"));
    const loud = sign(upper).toUpperCase().replace("SHA256", "sha256");
    expect((await send({ ...headers, "x-hub-signature-256": loud }, upper)).status).toBe(204);
  });

  it.each([
    ["no signature", () => undefined, /is missing/],
    ["one of another body", () => sign("{}"), /does not fit/],
    ["one with another secret", (body: string) => sign(body, "guessed"), /does not fit/],
    ["half of one", (body: string) => sign(body).slice(0, 40), /does not fit/],
    ["nonsense", () => "sha256=", /does not fit/],
  ])("with %s is not", async (_, make, why) => {
    const headers = await key({ hmacSecret: "HOOK_SECRET" });
    const body = JSON.stringify(vcon("unsigned"));
    const signature = make(body);
    const answer = await send(
      { ...headers, ...(signature === undefined ? {} : { "x-hub-signature-256": signature }) },
      body,
    );
    expect([answer.status, answer.text]).toEqual([401, expect.stringMatching(why)]);
    expect(await stored("unsigned")).toMatchObject({ code: "vcon_not_found" });
  });

  it("is refused, and the operator told, when the server lacks the secret", async () => {
    const answer = await send(await key({ hmacSecret: "NO_SUCH_SECRET" }), vcon("unsigned"));
    expect([answer.status, answer.text]).toEqual([401, expect.stringContaining("NO_SUCH_SECRET")]);
  });
});
