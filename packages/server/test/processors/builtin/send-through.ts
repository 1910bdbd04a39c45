import { sendEmail } from "../../../src/processors/builtin/send-email.ts";
import type { SmtpDouble } from "../../doubles/smtp-server.ts";
import { type Ran, type RunProcessor, runProcessor } from "../run-processor.ts";

/** Options of a mail that can be sent. */
const mail = {
  from_address: "Calls <calls@shop.example>",
  to: ["team@shop.example"],
  subject: "Ended",
};

/** Runs `send_email` with the double as its server. @param options go before those of `mail` */
export function sendThrough(
  double: SmtpDouble,
  options: object,
  run: Partial<RunProcessor> = {},
): Promise<Ran> {
  const env = { FETCH_ALLOW: double.allow, ...run.env };
  return runProcessor({
    processor: sendEmail,
    ...run,
    env,
    options: { ...double.options, ...mail, ...options },
  });
}

/** What is in an attachment that came in. */
export function textOf(file: { readonly content: ArrayBuffer | Uint8Array | string } | undefined): string {
  const content = file?.content ?? "";
  return typeof content === "string" ? content : new TextDecoder().decode(content);
}
