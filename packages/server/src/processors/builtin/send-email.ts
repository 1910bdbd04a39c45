import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { composeMail } from "../../mail/compose.ts";
import { checkAuthority, chooseMailServer } from "../../mail/mail-server.ts";
import { type Mailbox, readMailboxes } from "../../mail/mailboxes.ts";
import { sendMail } from "../../mail/send.ts";
import { filesOfVcon } from "../../mail/vcon-files.ts";
import { defineProcessor, type ProcessorContext } from "../define.ts";

const text = (title: string, description: string) => Type.String({ title, description, default: "" });

const addresses = (title: string, description: string) =>
  Type.Union([Type.Array(Type.String()), Type.String()], {
    title,
    description: `${description} A list of user@host or First Last <user@host>, or a text with commas between them.`,
    default: [],
  });

const wantedFile = Type.Object({
  part: Type.Union(
    [Type.Literal("vcon"), Type.Literal("dialog"), Type.Literal("analysis"), Type.Literal("attachments")],
    { title: "part", description: "The whole vCon as JSON, or one of its lists of contents." },
  ),
  index: Type.Optional(
    Type.Integer({
      title: "index",
      description: "Which entry of the list, from 0. Without it: all that have content.",
      minimum: 0,
    }),
  ),
});

export const sendEmail = defineProcessor({
  name: "send_email",
  title: "Send an e-mail",
  description:
    "Sends an e-mail at once, through the mail server named here or in SMTP_HOST; a failure fails the step. What it says " +
    "comes from the options: bring in content of vCons with jq and format_options. Takes vCons in any state, and sets " +
    "no parameters. The same mail about the same vCon has the same Message-ID, so that mail systems can tell a repetition.",
  version: "1.0.0",
  example: {
    about: "Mails the team, with the vCon attached, through the mail server in SMTP_HOST.",
    options: {
      from_address: "vConductor <calls@shop.example>",
      to: ["team@shop.example"],
      subject: "A conversation ended",
      text_body: "It is attached.",
      attachments: [{ part: "vcon" }],
    },
  },
  options: Type.Object({
    smtp_host: text(
      "mail server",
      "Host name or address. Empty: SMTP_HOST. Private addresses must be allowed in FETCH_ALLOW, unless it is SMTP_HOST.",
    ),
    smtp_port: Type.Integer({
      title: "port",
      description:
        "0: SMTP_PORT for SMTP_HOST; else 465 when use_tls is set or a user signs in, 25 otherwise.",
      maximum: 65_535,
      default: 0,
    }),
    smtp_user: text(
      "user",
      "To sign in with; TLS is then forced: by STARTTLS on ports 25 and 587, from the start on others. Empty: SMTP_USER, if the server is SMTP_HOST.",
    ),
    smtp_password: Type.String({
      title: "password",
      description:
        "Of smtp_user. Empty, with smtp_user empty too: SMTP_PASSWORD, if the server is SMTP_HOST.",
      default: "",
      writeOnly: true,
    }),
    use_tls: Type.Boolean({
      title: "TLS from the start",
      description: "Always so on port 465. Without it STARTTLS is used where the server offers it.",
      default: false,
    }),
    tls_ca_pem: text(
      "own authority",
      "Certificates (PEM) of the authority that the mail server's certificate must come from. Empty: the public ones.",
    ),
    client_hostname: Type.String({
      title: "client host name",
      description: "What the server is greeted with (EHLO). Empty: the name of this machine.",
      pattern: "^[A-Za-z0-9.:_\\[\\]-]*$",
      default: "",
    }),
    from_address: text("from", "The sender: user@host or First Last <user@host>. Empty: SMTP_FROM."),
    reply_to: text("reply to", "Where answers go, if not to the sender."),
    to: addresses("to", "Recipients."),
    cc: addresses("cc", "Recipients of a copy."),
    bcc: addresses("bcc", "Recipients of a copy of whom the mail says nothing."),
    subject: text("subject", "One line: line breaks become blanks."),
    text_body: text("text", "The mail as plain text."),
    html_body: text("HTML", "The mail as HTML, sent beside the plain text."),
    attachments: Type.Array(wantedFile, {
      title: "attachments",
      description:
        "What of the vCon to attach, 50 MiB at most. Contents that are kept elsewhere are fetched; all but the whole " +
        "vCon needs one that can be read.",
      default: [],
    }),
  }),
  async process(io, options, context) {
    const server = chooseMailServer(options, context);
    checkAuthority(options.tls_ca_pem);
    const from = await senderOf(options.from_address, context);
    const [to, cc, bcc, replyTo] = [
      await readMailboxes([options.to].flat(), "to"),
      await readMailboxes([options.cc].flat(), "cc"),
      await readMailboxes([options.bcc].flat(), "bcc"),
      await readMailboxes([options.reply_to], "reply_to"),
    ];
    if (to.length + cc.length + bcc.length === 0) throw bad("no recipients: set to, cc or bcc");
    const vconIndex = options.input_vcon_index;
    const files = await filesOfVcon({ io, vconIndex }, options.attachments, context);
    const mail = await composeMail({
      about: vconIndex < io.length ? io.uuid(vconIndex) : "",
      ...{ from, to, cc, bcc, replyTo, files },
      subject: options.subject,
      text: options.text_body,
      html: options.html_body,
    });
    const { client_hostname: clientHostname, tls_ca_pem: caPem } = options;
    await sendMail({ server, mail, clientHostname, caPem }, context);
    return io;
  },
});

async function senderOf(given: string, { setting }: Pick<ProcessorContext, "setting">): Promise<Mailbox> {
  const isGiven = given.trim() !== "";
  const [sender, second] = await readMailboxes(
    [isGiven ? given : (setting("SMTP_FROM") ?? "")],
    isGiven ? "from_address" : "SMTP_FROM",
  );
  if (sender === undefined)
    throw bad("no sender: set the option from_address, or SMTP_FROM for all pipelines");
  if (second !== undefined) throw bad("from_address: a mail has one sender, here are several");
  return sender;
}

function bad(what: string): VconductorError {
  return new VconductorError("invalid_options", what);
}
