import { createHmac, timingSafeEqual } from "node:crypto";
import { ProviderDouble, type Received } from "./provider.ts";

/** As far as a signature's time may be from the receiver's clock, in seconds (Standard Webhooks). */
const TOLERANCE = 300;

/**
 * Takes webhooks. With a key (bytes) only those that Standard Webhooks takes for genuine: 401 for others, with the reason.
 *
 * @param hubSecret the text that `X-Hub-Signature-256` is checked with
 */
export function webhookReceiver(key?: Buffer, hubSecret?: string): Promise<ProviderDouble> {
  return ProviderDouble.start((request) => {
    const reason =
      key === undefined ? undefined : (distrust(request, key) ?? distrustHub(request, hubSecret));
    return reason === undefined ? { status: 204 } : { status: 401, body: { error: reason } };
  });
}

function distrust({ headers, body }: Received, key: Buffer): string | undefined {
  const [id, timestamp] = [String(headers["webhook-id"]), Number(headers["webhook-timestamp"])];
  if (!(Math.abs(Date.now() / 1000 - timestamp) <= TOLERANCE)) return "the timestamp is too far from now";
  const [version, signature] = String(headers["webhook-signature"]).split(",");
  if (version !== "v1" || signature === undefined) return "no signature of version 1";
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const expected = createHmac("sha256", key).update(signed).digest();
  return same(Buffer.from(signature, "base64"), expected) ? undefined : "the signature does not fit";
}

function distrustHub({ headers, body }: Received, secret: string | undefined): string | undefined {
  if (secret === undefined) return undefined;
  const given = Buffer.from(String(headers["x-hub-signature-256"]));
  const expected = Buffer.from(`sha256=${createHmac("sha256", secret).update(body).digest("hex")}`);
  return same(given, expected) ? undefined : "X-Hub-Signature-256 does not fit";
}

function same(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
