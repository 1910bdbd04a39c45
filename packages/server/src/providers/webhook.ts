import { VconductorError } from "../errors.ts";
import { type CallContext, callProvider } from "./call.ts";
import { signatureHeaders, webhookId } from "./webhook-signature.ts";

export interface Webhook {
  readonly url: string;
  /** The name of what happened. */
  readonly event: string;
  /** Of the vCon it is about. */
  readonly uuid: string;
  /** JSON. */
  readonly body: string;
  /** "" leaves it unsigned. */
  readonly secret: string;
  /** Sent beside its own. */
  readonly headers: Readonly<Record<string, string>>;
}

const ours = new Set([
  "webhook-id",
  "webhook-timestamp",
  "webhook-signature",
  "webhook-event",
  "x-hub-signature-256",
  "idempotency-key",
  "content-type",
  "content-length",
  "transfer-encoding",
  "connection",
  "host",
]);

/**
 * Posts a webhook, again as `callProvider` does. Every attempt is signed anew, because receivers refuse signatures that
 * are some minutes old.
 *
 * @throws invalid_options a header or the secret cannot be sent
 * @throws provider_failed any answer but 2xx
 */
export async function postWebhook(context: CallContext, webhook: Webhook): Promise<void> {
  const { url, body, event, secret, headers } = webhook;
  checkHeaders(headers);
  const id = webhookId(webhook);
  const signing: CallContext = {
    ...context,
    async fetch(to, init) {
      const timestamp = Math.floor(Date.now() / 1000);
      const signed = secret === "" ? {} : signatureHeaders({ id, timestamp, body }, secret);
      const own = { "webhook-id": id, "webhook-timestamp": `${timestamp}`, "webhook-event": event };
      const sent = {
        ...headers,
        "content-type": "application/json",
        "idempotency-key": id,
        ...own,
        ...signed,
      };
      const response = await context.fetch(to, { ...init, headers: sent });
      if (!response.ok) return response;
      // It was taken; however large or broken the rest of the answer is, that stays so.
      await response.body?.cancel();
      const { Response } = await import("undici");
      return new Response(null, { status: response.status });
    },
  };
  const provider = `webhook ${URL.parse(url)?.host ?? ""}`.trim();
  // A redirect not followed is an answer that is not 2xx, and tells its status.
  const init = { method: "POST", body, redirect: "manual", maxBytes: 1024 * 1024 } as const;
  await callProvider(signing, { provider, url, init });
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    const shown = JSON.stringify(name.slice(0, 100));
    if (!/^[!#$%&'*+.^_`|~\dA-Za-z-]+$/.test(name)) throw bad(`${shown} is no name of a header`);
    if (ours.has(name.toLowerCase())) throw bad(`${shown} is set by the webhook itself; leave it out`);
    if (!/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) {
      throw bad(`the value of ${shown} holds a line break, or characters that a header cannot have`);
    }
  }
}

function bad(what: string): VconductorError {
  return new VconductorError("invalid_options", `headers: ${what}`);
}
