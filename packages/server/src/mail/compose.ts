import { createHash } from "node:crypto";
import type { Mailbox } from "./mailboxes.ts";

export interface MailFile {
  readonly filename: string;
  readonly mediatype: string;
  readonly bytes: Uint8Array;
}

export interface MailParts {
  /** What the mail is about: together with its content it makes the Message-ID. */
  readonly about: string;
  readonly from: Mailbox;
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  /** Get the mail too, and stand nowhere in it. */
  readonly bcc: readonly Mailbox[];
  readonly replyTo: readonly Mailbox[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly files: readonly MailFile[];
}

/** A mail as it goes over the line. */
export interface ComposedMail {
  readonly bytes: Buffer;
  readonly sender: string;
  /** Each once. */
  readonly recipients: readonly string[];
}

/**
 * Writes a mail. Its Message-ID follows from what it is about and says, so that mail systems know one that is sent again.
 * Control characters in the subject become blanks.
 */
export async function composeMail(parts: MailParts): Promise<ComposedMail> {
  const { default: MailComposer } = await import("nodemailer/lib/mail-composer");
  const { from, to, cc, bcc, replyTo, text, html, files } = parts;
  const domain = from.address.slice(from.address.lastIndexOf("@") + 1);
  const message = new MailComposer({
    from,
    to: [...to],
    cc: [...cc],
    // For the envelope; it writes no header of it.
    bcc: [...bcc],
    replyTo: [...replyTo],
    subject: parts.subject.replaceAll(/\p{Cc}+/gu, " ").trim(),
    ...(text === "" && html !== "" ? {} : { text }),
    ...(html === "" ? {} : { html }),
    attachments: files.map(({ filename, mediatype, bytes }) => ({
      filename,
      contentType: mediatype,
      content: Buffer.from(bytes),
      contentTransferEncoding: "base64",
    })),
    messageId: `<${digestOf(parts)}@${domain}>`,
    newline: "win",
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile();
  const envelope = message.getEnvelope();
  return {
    bytes: await message.build(),
    sender: envelope.from || from.address,
    recipients: [...new Set(envelope.to)],
  };
}

function digestOf({ files, ...parts }: MailParts): string {
  const sums = files.map(({ bytes, ...file }) => ({
    ...file,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  }));
  return createHash("sha256")
    .update(JSON.stringify({ ...parts, sums }))
    .digest("hex")
    .slice(0, 40);
}
