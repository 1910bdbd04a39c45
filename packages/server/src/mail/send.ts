import { VconductorError } from "../errors.ts";
import type { ProcessorContext } from "../processors/define.ts";
import { type Attempt, withRetries } from "../providers/retry.ts";
import type { ComposedMail } from "./compose.ts";
import { deliver, type MailRefusal } from "./deliver.ts";
import { answered, failureOf } from "./failure.ts";
import { type MailServer, mailServerAddress } from "./mail-server.ts";

type SendContext = Pick<ProcessorContext, "address" | "log" | "mask" | "setting" | "signal">;

export interface SendOptions {
  readonly clientHostname: string;
  readonly caPem: string;
}

/**
 * Sends a mail through a mail server. What the server refuses for now (4xx), and what failed before the mail was on its
 * way, is tried again as PROVIDER_RETRIES and PROVIDER_RETRY_SECONDS say, for those recipients only who do not have it.
 *
 * @throws provider_failed with the server's answer, also when only some recipients were refused
 * @throws fetch_refused the server's address may not be reached
 */
export async function sendMail(
  { server, mail, clientHostname, caPem }: SendOptions & { server: MailServer; mail: ComposedMail },
  context: SendContext,
): Promise<void> {
  const timeoutMs = Number(context.setting("PROVIDER_TIMEOUT_SECONDS")) * 1000;
  const mask = masking(server, context);
  const address = await mailServerAddress(server, context);
  const show = ({ response, recipient }: MailRefusal) => answered(response, mask, recipient);
  const refused: MailRefusal[] = [];
  let pending = mail.recipients;
  const failed = (texts: readonly string[], again: boolean): Attempt<undefined> => {
    const others = mail.recipients.length - pending.length - refused.length;
    const rest = others > 0 ? [`the mail went to the other recipients (${others})`] : [];
    const text = [...texts, ...refused.map(show), ...rest].join("; ");
    return { error: new VconductorError("provider_failed", `smtp ${server.host} ${text}`), again };
  };
  await withRetries(context, `smtp ${server.host}`, async () => {
    const { signal } = context;
    const delivery = { server, address, mail, recipients: pending, clientHostname, caPem, timeoutMs, signal };
    const result = await deliver(delivery);
    if ("error" in result) {
      const { text, again } = failureOf(result, { timeoutMs, mask });
      return failed([text], again);
    }
    const later = result.refused.filter(isTemporary);
    refused.push(...result.refused.filter((refusal) => !isTemporary(refusal)));
    pending = later.map(({ recipient }) => recipient);
    if (later.length === 0 && refused.length === 0) return { answer: undefined };
    return failed(later.map(show), later.length > 0);
  });
}

function isTemporary({ response }: MailRefusal): boolean {
  return response.startsWith("4");
}

/** Sign-in commands carry the password in base64, and some servers quote what they were sent. */
function masking({ credentials }: MailServer, context: SendContext): (text: string) => string {
  if (credentials === undefined) return context.mask;
  const { user, password } = credentials;
  const coded = [`\0${user}\0${password}`, password].map((text) => Buffer.from(text).toString("base64"));
  return (text) =>
    coded.reduce((masked, secret) => masked.replaceAll(secret, "********"), context.mask(text));
}
