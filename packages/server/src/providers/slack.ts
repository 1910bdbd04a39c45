import type { JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";
import { type CallContext, callForJson, callProvider } from "./call.ts";
import { withRetries } from "./retry.ts";

type SlackMessage = Readonly<Record<string, unknown>>;

/** Slack tells its failures with status 200; these pass. */
const passing = new Set(["ratelimited", "rate_limited", "internal_error"]);

/**
 * Posts a message as a Slack app.
 *
 * @returns the message's `ts`, by which it can be answered
 * @throws provider_failed names Slack's error
 */
export async function postToSlack(
  context: CallContext,
  { token, message }: { readonly token: string; readonly message: SlackMessage },
): Promise<string> {
  const url = `${(context.setting("SLACK_BASE_URL") ?? "").replace(/\/+$/, "")}/chat.postMessage`;
  const headers = { authorization: `Bearer ${token}` };
  return withRetries(context, "slack", async () => {
    const answer = await callForJson(context, { provider: "slack", url, init: posting(message, headers) });
    const { ts, error } = readAnswer(answer);
    if (ts !== undefined) return { answer: ts };
    const text = context.mask(`slack refused the message: ${error}`).slice(0, 600);
    const again = passing.has(error.split(" ")[0] ?? "");
    return { error: new VconductorError("provider_failed", text), again };
  });
}

/** Posts a message by an incoming webhook. @throws provider_failed with Slack's answer */
export async function postToSlackWebhook(
  context: CallContext,
  { url, message }: { readonly url: string; readonly message: SlackMessage },
): Promise<void> {
  await callProvider(context, { provider: "slack", url, init: posting(message, {}) });
}

function posting(message: SlackMessage, headers: Readonly<Record<string, string>>) {
  return {
    method: "POST",
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(message),
    // A message for Slack goes nowhere else; what is answered is then an error with its status.
    redirect: "manual" as const,
    maxBytes: 1024 * 1024,
  };
}

/** The error with what Slack says about it: the scope that is missing, the block that is wrong. */
function readAnswer(answer: JsonValue): { readonly ts?: string; readonly error: string } {
  if (typeof answer !== "object" || answer === null || !("ok" in answer))
    return { error: "no answer of Slack's API" };
  const { ok, ts, error, needed, response_metadata: more } = answer;
  if (ok === true) return { ts: typeof ts === "string" ? ts : "", error: "" };
  const details = [
    ...(typeof needed === "string" ? [`needs ${needed}`] : []),
    ...(typeof more === "object" && more !== null && "messages" in more
      ? [JSON.stringify(more.messages)]
      : []),
  ];
  const name = typeof error === "string" ? error : "an error without a name";
  return { error: details.length === 0 ? name : `${name} (${details.join("; ")})` };
}
