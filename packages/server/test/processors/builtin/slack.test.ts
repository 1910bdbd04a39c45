import { afterEach, describe, expect, it } from "vitest";
import { slack } from "../../../src/processors/builtin/slack.ts";
import { slackDouble, webhookPath } from "../../doubles/slack.ts";
import { type RunProcessor, runProcessor } from "../run-processor.ts";
import { encrypted } from "../sample.ts";
import { rejected } from "../thrown.ts";

const token = "xoxb-0123456789";
const double = await slackDouble({ token, channels: ["#calls", "C1"] });
const hook = `${double.url}${webhookPath}`;
afterEach(() => double.reset());

function post(options: object, { env = {}, ...run }: Partial<RunProcessor> = {}) {
  const base = { FETCH_ALLOW: double.host, SLACK_BASE_URL: `${double.url}/api/` };
  return runProcessor({ processor: slack, options, ...run, env: { ...base, ...env } });
}

const withToken = { env: { SLACK_BOT_TOKEN: token } };

describe("as an app", () => {
  it("posts text and blocks, and keeps the ts, with which a thread goes on", async () => {
    const blocks = [{ type: "section", text: { type: "mrkdwn", text: "*Ended* <b> & more" } }];
    const { io } = await post(
      { channel: "#calls", text: "<Ended> & *so*", blocks },
      { ...withToken, vcons: [encrypted("e")] },
    );
    expect(io.parameters.get("slack_ts")).toBe("1700000000.000001");
    expect(io.toOutput().vcons_modified).toEqual([false]);
    const answer = {
      channel: "C1",
      text: "more",
      set_parameter: "second",
      format_options: { thread_ts: "{slack_ts}" },
    };
    const next = await post(answer, { ...withToken, parameters: { slack_ts: "1700000000.000001" } });
    expect(next.io.parameters.get("second")).toBe("1700000000.000002");
    expect(double.json).toEqual([
      { channel: "#calls", text: "<Ended> & *so*", blocks },
      { channel: "C1", text: "more", thread_ts: "1700000000.000001" },
    ]);
    expect(double.received[0]?.headers["content-type"]).toBe("application/json; charset=utf-8");
  });

  it("takes a token of its own, and need not keep the ts", async () => {
    const options = { channel: "C1", text: "x", token: "secret:OTHER", set_parameter: "" };
    const { io } = await post(options, { env: { OTHER: token, SLACK_BOT_TOKEN: "xoxb-wrong" } });
    expect(io.parameters.size).toBe(0);
    expect(double.received).toHaveLength(1);
  });

  it.each([
    [{ channel: "#other" }, token, "channel_not_found"],
    [{ channel: "#calls" }, "xoxb-wrong", "invalid_auth"],
  ])("names Slack's error for %j", async (options, key, error) => {
    const failed = await rejected(post({ ...options, text: "x" }, { env: { SLACK_BOT_TOKEN: key } }));
    expect(failed).toMatchObject({ code: "provider_failed", message: `slack refused the message: ${error}` });
    expect(double.received).toHaveLength(1);
  });

  it("says what is missing or wrong, without the token", async () => {
    const details = { needed: "chat:write", response_metadata: { messages: [`no ${token}`] } };
    double.troubles({ body: { ok: false, error: "missing_scope", ...details } });
    const failed = await rejected(post({ channel: "C1", text: "x" }, withToken));
    expect(failed.message).toBe(
      'slack refused the message: missing_scope (needs chat:write; ["no ********"])',
    );
  });

  it.each([
    { status: 429, headers: { "retry-after": "0" }, body: { ok: false, error: "ratelimited" } },
    { body: { ok: false, error: "ratelimited" } },
    { body: { ok: false, error: "internal_error" } },
    { status: 500 },
    "truncated" as const,
  ])("tries again after %j", async (trouble) => {
    double.troubles(trouble);
    const { io } = await post({ channel: "C1", text: "x" }, withToken);
    expect(io.parameters.get("slack_ts")).toMatch(/^1700000000\./);
    expect(double.received).toHaveLength(2);
  });

  it("gives up after PROVIDER_RETRIES", async () => {
    const trouble = { body: { ok: false, error: "internal_error" } };
    double.troubles(trouble, trouble, trouble, trouble);
    const failed = await rejected(post({ channel: "C1", text: "x" }, withToken));
    expect(failed.message).toBe("slack refused the message: internal_error");
    expect(double.received).toHaveLength(3);
  });

  it.each([
    ["[]", "slack refused the message: no answer of Slack's API"],
    ["<html>", "slack answered 200 with what is not JSON: <html>"],
  ])("does not take %s for success", async (body, text) => {
    double.troubles({ body });
    expect((await rejected(post({ channel: "C1", text: "x" }, withToken))).message).toBe(text);
  });

  it("fails when there is no answer in time, and when it has no end", async () => {
    double.troubles("hang", "huge");
    const env = { SLACK_BOT_TOKEN: token, PROVIDER_TIMEOUT_SECONDS: "0.2", PROVIDER_RETRIES: "0" };
    expect((await rejected(post({ channel: "C1", text: "x" }, { env }))).code).toBe("provider_failed");
    expect((await rejected(post({ channel: "C1", text: "x" }, withToken))).code).toBe("fetch_refused");
  });
});

describe("by a webhook", () => {
  it("posts, and sets no parameter", async () => {
    const { io } = await post({ text: "x", webhook_url: hook }, withToken);
    expect(double.received.map(({ path }) => path)).toEqual([webhookPath]);
    expect(double.json).toEqual([{ text: "x" }]);
    expect(double.received[0]?.headers.authorization).toBeUndefined();
    expect(io.parameters.size).toBe(0);
  });

  it("takes the operator's where neither channel nor token is named", async () => {
    const env = { SLACK_WEBHOOK_URL: hook, SLACK_BOT_TOKEN: token };
    await post({ text: "x" }, { env });
    await post({ text: "x", channel: "C1" }, { env });
    expect(double.received.map(({ path }) => path)).toEqual([webhookPath, "/api/chat.postMessage"]);
  });

  it("fails with Slack's answer, and never shows the URL", async () => {
    const webhook_url = `${double.url}/services/wrong`;
    double.troubles({ status: 404, body: `no_service ${webhook_url}` });
    const failed = await rejected(post({ text: "x", webhook_url }));
    expect(failed).toMatchObject({
      code: "provider_failed",
      message: "slack answered 404: no_service ********",
    });
  });

  it("does not follow a redirect", async () => {
    double.troubles({ status: 302, headers: { location: hook } });
    const failed = await rejected(post({ text: "x", webhook_url: hook }));
    expect(failed.message).toBe("slack answered 302: (nothing more)");
    expect(double.received).toHaveLength(1);
  });

  it("keeps to the guard", async () => {
    const failed = await rejected(post({ text: "x", webhook_url: hook }, { env: { FETCH_ALLOW: "" } }));
    expect(failed.code).toBe("fetch_refused");
    expect(failed.message).not.toContain("hook-secret");
  });
});

it.each([
  [{ channel: "C1" }, "nothing to post"],
  [{ text: "x" }, "nowhere to post to"],
  [{ text: "x", channel: "C1" }, "SLACK_BOT_TOKEN"],
  [{ text: "x", token }, "no channel"],
  [{ text: "x", channel: "C1", webhook_url: hook }, "goes with neither"],
])("says what %j lacks", async (options, text) => {
  const failed = await rejected(post(options));
  expect(failed.code).toBe("invalid_options");
  expect(failed.message).toContain(text);
  expect(double.received).toEqual([]);
});
