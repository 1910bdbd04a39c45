import { Type } from "typebox";
import { beforeEach, describe, expect, it } from "vitest";
import { defineProcessor } from "../../src/processors/define.ts";
import { callForJson, retryAfter } from "../../src/providers/call.ts";
import { ProviderDouble } from "../doubles/provider.ts";
import { type RunProcessor, runProcessor } from "../processors/run-processor.ts";
import { rejected } from "../processors/thrown.ts";

const double = await ProviderDouble.start(() => ({ body: { fine: true } }));
beforeEach(() => double.reset());

/** A processor that makes one call and gives the answer as a parameter. */
const caller = defineProcessor({
  name: "caller",
  title: "Caller",
  description: "For tests.",
  version: "1.0.0",
  options: Type.Object({}),
  async process(io, _, context) {
    const key = context.secret("THE_KEY") ?? "";
    const init = {
      method: "POST",
      headers: { authorization: key },
      body: "question",
      maxBytes: 4 * 1024 * 1024,
    };
    io.parameters.set("answer", await callForJson(context, { provider: "acme", url: double.url, init }));
    return io;
  },
});

function call(env: RunProcessor["env"] = {}, signal?: AbortSignal) {
  const settings = { FETCH_ALLOW: double.host, THE_KEY: "hunter2", ...env };
  return runProcessor({ processor: caller, env: settings, ...(signal === undefined ? {} : { signal }) });
}

describe("a call to a provider", () => {
  it("gives the answer", async () => {
    const { io } = await call();
    expect(io.parameters.get("answer")).toEqual({ fine: true });
    expect(double.received).toMatchObject([{ method: "POST", headers: { authorization: "hunter2" } }]);
  });

  it.each([
    ["429 that says when", { status: 429, headers: { "retry-after": "0" }, body: "slow down" }],
    ["500", { status: 500, body: "oops" }],
    ["503", { status: 503, body: "" }],
    ["408", { status: 408, body: "" }],
    ["a body cut short", "truncated" as const],
  ])("is made again after %s, with the same body", async (_, trouble) => {
    double.troubles(trouble);
    const { io } = await call();
    expect(io.parameters.get("answer")).toEqual({ fine: true });
    expect(double.received.map(({ body }) => body.toString())).toEqual(["question", "question"]);
  });

  it("is made again when no answer comes in time", async () => {
    double.troubles("hang");
    const { io } = await call({ PROVIDER_TIMEOUT_SECONDS: "0.3" });
    expect(io.parameters.get("answer")).toEqual({ fine: true });
    expect(double.received.length).toBe(2);
  });

  it("fails after as many repetitions as are set, and says provider, status and answer", async () => {
    double.troubles(
      ...Array.from({ length: 3 }, () => ({ status: 500, body: `broken ${"x".repeat(2000)}` })),
    );
    const error = await rejected(call());
    expect(error.code).toBe("provider_failed");
    expect(error.message).toBe(`acme answered 500: broken ${"x".repeat(493)}`);
    expect(double.received.length).toBe(3);
  });

  it.each([400, 401, 403, 404, 422])("is not made again after %i", async (status) => {
    double.troubles({ status, body: { error: "no such thing" } });
    const error = await rejected(call());
    expect(error.message).toBe(`acme answered ${status}: {"error":"no such thing"}`);
    expect(double.received.length).toBe(1);
  });

  it("does not wait longer than is sensible", async () => {
    double.troubles({ status: 429, headers: { "retry-after": "3600" }, body: "tomorrow" });
    expect((await rejected(call())).message).toBe("acme answered 429: tomorrow");
    expect(double.received.length).toBe(1);
  });

  it("shows no secret, even one that the cut would have split", async () => {
    double.troubles({ status: 400, body: `${"y".repeat(496)}hunter2 is wrong, hunter2` });
    const { message } = await rejected(call());
    expect(message).toBe(`acme answered 400: ${"y".repeat(496)}****`);
  });

  it("names what is not JSON", async () => {
    double.troubles({ body: "<html>" });
    expect((await rejected(call())).message).toBe("acme answered 200 with what is not JSON: <html>");
  });

  it("does not take a body without end", async () => {
    double.troubles("huge");
    const error = await rejected(call());
    expect(error.code).toBe("fetch_refused");
    expect(error.message).toContain("larger than 4194304 bytes");
  });

  it("stops at once when its run is stopped, also while it waits to try again", async () => {
    const stop = new AbortController();
    double.troubles({ status: 503, headers: { "retry-after": "60" } });
    const arrived = double.next();
    const running = rejected(call({}, stop.signal));
    await arrived;
    stop.abort();
    expect((await running).code).toBe("run_cancelled");
    expect(double.received.length).toBe(1);
  });

  it("is refused where the address is private", async () => {
    const error = await rejected(call({ FETCH_ALLOW: "elsewhere.example" }));
    expect(error.code).toBe("fetch_refused");
    expect(error.message).toContain("FETCH_ALLOW");
    expect(double.received).toEqual([]);
  });
});

it.each([
  [null, undefined],
  ["", undefined],
  ["2", 2000],
  ["0.5", 500],
  ["-3", 0],
  ["Thu, 01 Jan 1970 00:01:30 GMT", 30_000],
  ["soon", undefined],
])("Retry-After: %s is %s ms", (header, ms) => {
  expect(retryAfter(header, 60_000)).toBe(ms);
});
