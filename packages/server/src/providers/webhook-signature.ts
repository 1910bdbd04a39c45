import { createHash, createHmac } from "node:crypto";
import { VconductorError } from "../errors.ts";

/** What tells one message from every other: the same for all of them means the same message. */
export interface WebhookIdentity {
  readonly url: string;
  readonly event: string;
  readonly uuid: string;
  readonly body: string;
}

/** An id by which a receiver knows a message that it had before. */
export function webhookId({ url, event, uuid, body }: WebhookIdentity): string {
  const parts = JSON.stringify([url, event, uuid, createHash("sha256").update(body).digest("hex")]);
  return `msg_${createHash("sha256").update(parts).digest("hex").slice(0, 40)}`;
}

export interface WebhookMessage {
  readonly id: string;
  /** Seconds since 1970, of this very attempt: receivers refuse old ones. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * The headers that prove where a message comes from, as Standard Webhooks has them, and `X-Hub-Signature-256`.
 *
 * @param secret `whsec_` and base64, or any text
 * @throws invalid_options what follows `whsec_` is not base64
 */
export function signatureHeaders(
  { id, timestamp, body }: WebhookMessage,
  secret: string,
): Readonly<Record<string, string>> {
  const signature = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest("base64");
  // Its receivers know no prefix: for them the secret's text is the key.
  const hub = createHmac("sha256", secret).update(body).digest("hex");
  return { "webhook-signature": `v1,${signature}`, "x-hub-signature-256": `sha256=${hub}` };
}

const PREFIX = "whsec_";

function keyOf(secret: string): Buffer {
  if (!secret.startsWith(PREFIX)) return Buffer.from(secret);
  const encoded = secret.slice(PREFIX.length);
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return Buffer.from(encoded, "base64");
  throw new VconductorError(
    "invalid_options",
    "secret: what follows whsec_ must be base64; a secret that is plain text has no such prefix",
  );
}
