import { ProviderDouble, type Received, type Reply } from "./provider.ts";

/** The path of the double's one incoming webhook. */
export const webhookPath = "/services/T000/B000/hook-secret";

/**
 * Slack: `chat.postMessage` for those with the token, in the channels that it knows, and one incoming webhook. Failures
 * come as Slack tells them: with status 200 from the API, as plain text from the webhook.
 */
export function slackDouble({
  token,
  channels,
}: {
  readonly token: string;
  readonly channels: readonly string[];
}): Promise<ProviderDouble> {
  let posted = 0;
  return ProviderDouble.start((request) => {
    if (request.path === webhookPath) return byWebhook(request);
    if (request.method !== "POST" || request.path !== "/api/chat.postMessage") {
      return { body: { ok: false, error: "unknown_method" } };
    }
    const error = refusal(request, token, channels);
    if (error !== undefined) return { body: { ok: false, error } };
    posted += 1;
    const { channel, ...message } = bodyOf(request) ?? {};
    return { body: { ok: true, channel, ts: `1700000000.00000${posted}`, message } };
  });
}

function refusal(request: Received, token: string, channels: readonly string[]): string | undefined {
  const { authorization } = request.headers;
  if (authorization === undefined) return "not_authed";
  if (authorization !== `Bearer ${token}`) return "invalid_auth";
  const message = bodyOf(request);
  if (message === undefined) return "invalid_json";
  if (typeof message.channel !== "string" || !channels.includes(message.channel)) return "channel_not_found";
  return message.text === undefined && message.blocks === undefined ? "no_text" : undefined;
}

function byWebhook(request: Received): Reply {
  const message = bodyOf(request);
  if (message === undefined) return { status: 400, body: "invalid_payload" };
  return message.text === undefined && message.blocks === undefined
    ? { status: 400, body: "no_text" }
    : { body: "ok" };
}

function bodyOf({ headers, body }: Received): Record<string, unknown> | undefined {
  if (!headers["content-type"]?.startsWith("application/json")) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
