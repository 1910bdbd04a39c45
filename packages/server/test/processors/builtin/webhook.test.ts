import { afterEach, describe, expect, it, vi } from "vitest";
import { webhook } from "../../../src/processors/builtin/webhook.ts";
import { signatureHeaders } from "../../../src/providers/webhook-signature.ts";
import { webhookReceiver } from "../../doubles/webhook-receiver.ts";
import { type RunProcessor, runProcessor } from "../run-processor.ts";
import { encrypted, signed, vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";

const key = Buffer.from("0123456789abcdef0123456789abcdef");
const secret = `whsec_${key.toString("base64")}`;
const receiver = await webhookReceiver(key, secret);
const trusting = await webhookReceiver();
afterEach(() => {
  receiver.reset();
  trusting.reset();
  vi.useRealTimers();
});

function call(options: object, { env = {}, ...run }: Partial<RunProcessor> = {}) {
  const base = { FETCH_ALLOW: "127.0.0.1", WEBHOOK_SECRET: secret };
  return runProcessor({
    processor: webhook,
    vcons: [vcon("a")],
    ...run,
    options: { url: receiver.url, ...options },
    env: { ...base, ...env },
  });
}

describe("the signature", () => {
  it("is that of the Standard Webhooks specification's example", () => {
    const message = {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestamp: 1_614_265_330,
      body: '{"test": 2432232314}',
    };
    expect(signatureHeaders(message, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).toMatchObject({
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  it("is believed by a receiver with the secret, and by no other", async () => {
    await call({});
    expect(receiver.received).toHaveLength(1);
    const error = await rejected(call({ secret: "another" }));
    expect(error).toMatchObject({
      code: "provider_failed",
      message: `webhook ${receiver.host} answered 401: {"error":"the signature does not fit"}`,
    });
    expect(receiver.received).toHaveLength(2);
  });

  it("takes a secret that is plain text", async () => {
    const plain = await webhookReceiver(Buffer.from("plain text"), "plain text");
    await call({ url: plain.url, secret: "secret:HOOK" }, { env: { HOOK: "plain text" } });
    expect(plain.received).toHaveLength(1);
  });

  it("is not there without a secret, and needs one that can be read", async () => {
    await call({ url: trusting.url }, { env: { WEBHOOK_SECRET: "" } });
    const names = Object.keys(trusting.received[0]?.headers ?? {});
    expect(names).toContain("webhook-id");
    expect(names).not.toContain("webhook-signature");
    expect(names).not.toContain("x-hub-signature-256");
    const error = await rejected(call({ secret: "whsec_not base64!" }));
    expect(error.code).toBe("invalid_options");
    expect(error.message).not.toContain("not base64!");
  });
});

describe("what is sent", () => {
  const sent = async (options: object, run: Partial<RunProcessor> = {}): Promise<unknown> => {
    await call(options, run);
    return receiver.json.at(-1);
  };

  it.each([vcon("a"), signed("s"), encrypted("e")])("is the vCon as it is", async (given) => {
    expect(await sent({}, { vcons: [given] })).toEqual(given);
    expect(receiver.received[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "webhook-event": "vcon.processed",
    });
  });

  it("is the parameters", async () => {
    const run = { parameters: { slack_ts: "1.2", list: [1] } };
    expect(await sent({ body: "parameters", event: "call.ended" }, run)).toEqual({
      type: "call.ended",
      uuid: "a",
      parameters: { slack_ts: "1.2", list: [1] },
    });
  });

  it("is a summary", async () => {
    const summaries = ["old", "new"].map((body) => ({ type: "summary", vendor: "x", body }));
    const tags = { purpose: "tags", encoding: "json", body: ["urgent"] };
    const full = {
      ...vcon("a"),
      analysis: [...summaries, { type: "other", body: "x" }],
      attachments: [tags],
    };
    expect(await sent({ body: "summary" }, { vcons: [full] })).toEqual({
      type: "vcon.processed",
      uuid: "a",
      subject: "Delivery date",
      created_at: "2026-03-02T09:15:00Z",
      parties: 2,
      dialog: 2,
      analysis: 3,
      tags: ["urgent"],
      summary: "new",
    });
    expect(
      await sent(
        { body: "summary" },
        { vcons: [{ uuid: "bare", vcon: "0.4.0", created_at: "2026-03-02T09:15:00Z", parties: [] }] },
      ),
    ).toMatchObject({
      subject: null,
      dialog: 0,
      summary: null,
    });
    expect((await rejected(call({ body: "summary" }, { vcons: [signed("s")] }))).code).toBe(
      "invalid_vcon_state",
    );
  });

  it("has headers of one's own, which may be secrets", async () => {
    await sent(
      { headers: { authorization: "secret:CRM", "x-team": "7" } },
      { env: { CRM: "Bearer crm-key" } },
    );
    expect(receiver.received[0]?.headers).toMatchObject({ authorization: "Bearer crm-key", "x-team": "7" });
    receiver.troubles({ status: 403, body: "no rights for Bearer crm-key" });
    const error = await rejected(call({ headers: { authorization: "Bearer crm-key" } }));
    expect(error.message).toBe(`webhook ${receiver.host} answered 403: no rights for ********`);
  });

  it.each([
    [{ "Webhook-Id": "x" }, "is set by the webhook itself"],
    [{ "x y": "z" }, "is no name of a header"],
    [{ "x-a": "b\r\nx-c: d" }, "line break"],
  ])("has no header %j", async (headers, text) => {
    const error = await rejected(call({ headers }));
    expect(error.code).toBe("invalid_options");
    expect(error.message).toContain(text);
    expect(receiver.received).toEqual([]);
  });
});

describe("the id", () => {
  const ids = () => receiver.received.map(({ headers }) => headers["webhook-id"]);

  it("is the same for the same content, on every attempt and run", async () => {
    receiver.troubles({ status: 500 });
    await call({});
    await call({});
    expect(ids()).toHaveLength(3);
    expect(new Set(ids()).size).toBe(1);
    expect(receiver.received.map(({ headers }) => headers["idempotency-key"])).toEqual(ids());
  });

  it("differs by URL, event, vCon and content", async () => {
    await call({});
    await call({ url: `${receiver.url}/other` });
    await call({ event: "other" });
    await call({}, { vcons: [vcon("b")] });
    await call({}, { vcons: [{ ...vcon("a"), subject: "other" }] });
    expect(new Set(ids()).size).toBe(5);
  });
});

describe("failures", () => {
  it("are tried again, each time signed for that moment", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const first = Date.now();
    const slow = await webhookReceiver(key);
    slow.troubles({ status: 503 });
    const calling = call({ url: slow.url });
    await slow.next();
    // As if the wait had been longer than receivers tolerate.
    vi.setSystemTime(first + 400_000);
    await calling;
    const times = slow.received.map(({ headers }) => Number(headers["webhook-timestamp"]));
    expect(times).toEqual([Math.floor(first / 1000), Math.floor(first / 1000) + 400]);
  });

  it.each([
    { status: 429, headers: { "retry-after": "0" } },
    { status: 500, body: "oops" },
  ])("pass: %j", async (trouble) => {
    receiver.troubles(trouble);
    await call({});
    expect(receiver.received).toHaveLength(2);
  });

  it("end with what the receiver said", async () => {
    const body = `oops ${"x".repeat(600)}`;
    receiver.troubles({ status: 500, body }, { status: 500, body }, { status: 500, body });
    const error = await rejected(call({}));
    expect(error).toMatchObject({
      code: "provider_failed",
      message: `webhook ${receiver.host} answered 500: ${body.slice(0, 500)}`,
    });
    expect(receiver.received).toHaveLength(3);
  });

  it("include redirects, which are not followed", async () => {
    receiver.troubles({ status: 307, headers: { location: trusting.url } });
    const error = await rejected(call({}));
    expect(error.message).toContain("answered 307");
    expect([receiver.received.length, trusting.received.length]).toEqual([1, 0]);
  });

  it.each(["truncated", "huge"] as const)("are none when the answer is 2xx and %s", async (trouble) => {
    receiver.troubles(trouble);
    await call({});
    expect(receiver.received).toHaveLength(1);
  });

  it("come in time", async () => {
    receiver.troubles("hang");
    const env = { PROVIDER_TIMEOUT_SECONDS: "0.2", PROVIDER_RETRIES: "0" };
    const error = await rejected(call({}, { env }));
    expect(error.code).toBe("provider_failed");
    expect(error.message).toContain("no complete answer within 0.2 s");
  });

  it("end with the run", async () => {
    receiver.troubles("hang");
    const cancel = new AbortController();
    const calling = rejected(call({}, { signal: cancel.signal }));
    await receiver.next();
    cancel.abort();
    expect((await calling).code).toBe("run_cancelled");
  });

  it("include addresses that are not allowed", async () => {
    const error = await rejected(call({}, { env: { FETCH_ALLOW: "" } }));
    expect(error.code).toBe("fetch_refused");
    expect(error.message).toContain("FETCH_ALLOW");
  });
});
