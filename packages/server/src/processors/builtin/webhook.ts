import { type JsonObject, readTags, type Vcon } from "@vconductor/vcon";
import { Type } from "typebox";
import { postWebhook } from "../../providers/webhook.ts";
import { defineProcessor } from "../define.ts";
import type { ProcessorIO } from "../io.ts";

export const webhook = defineProcessor({
  name: "webhook",
  title: "Call a webhook",
  description:
    "Posts JSON about a vCon to a URL, and expects an answer with status 2xx; redirects are not followed. With a secret " +
    "the request is signed as Standard Webhooks has it (webhook-id, webhook-timestamp, webhook-signature), and with " +
    "X-Hub-Signature-256. webhook-id, also sent as Idempotency-Key, is the same for the same content, however often it " +
    "is sent. Of a vCon in any state; the summary needs one that can be read.",
  version: "1.0.0",
  example: {
    about: "Tells another system about the conversation, signed with the secret in WEBHOOK_SECRET.",
    options: { url: "https://crm.example.com/hooks/conversations", body: "summary" },
  },
  options: Type.Object({
    url: Type.String({ title: "URL", description: "Where to post to: http or https.", minLength: 1 }),
    body: Type.Union([Type.Literal("vcon"), Type.Literal("parameters"), Type.Literal("summary")], {
      title: "body",
      description:
        "vcon: the whole vCon as it is, signed and encrypted ones too. parameters: type (the event), uuid and parameters. " +
        "summary: type, uuid, subject, created_at, the numbers of parties, dialogs and analyses, tags, and summary: " +
        "the body of the last analysis of type summary, or null.",
      default: "vcon",
    }),
    event: Type.String({
      title: "event",
      description:
        "What happened; sent as the header webhook-event, and as type in the bodies parameters and summary.",
      pattern: "^[A-Za-z0-9._:/-]+$",
      default: "vcon.processed",
    }),
    secret: Type.String({
      title: "secret",
      description:
        "Signs the request: whsec_ and base64, or any text. Empty: WEBHOOK_SECRET; without that it is unsigned.",
      default: "",
      writeOnly: true,
    }),
    headers: Type.Record(Type.String(), Type.String(), {
      title: "headers",
      description: "Sent beside the webhook's own, for example authorization. Values may be secret:NAME.",
      default: {},
      writeOnly: true,
    }),
  }),
  async process(io, { url, body, event, secret, headers, input_vcon_index: index }, context) {
    await postWebhook(context, {
      url,
      event,
      uuid: io.uuid(index),
      body: JSON.stringify(bodies[body](io, index, event)),
      secret: secret || (context.secret("WEBHOOK_SECRET") ?? ""),
      headers,
    });
    return io;
  },
});

const bodies: Record<
  "vcon" | "parameters" | "summary",
  (io: ProcessorIO, index: number, event: string) => JsonObject
> = {
  vcon: (io, index) => io.peek(index),
  parameters: (io, index, event) => ({
    type: event,
    uuid: io.uuid(index),
    parameters: Object.fromEntries(io.parameters),
  }),
  summary: (io, index, event) => ({ type: event, ...summaryOf(io.content(index)) }),
};

function summaryOf(vcon: Vcon): JsonObject {
  const { uuid, subject, created_at, parties, dialog, analysis } = vcon;
  return {
    uuid,
    subject: subject ?? null,
    created_at: created_at ?? null,
    parties: parties?.length ?? 0,
    dialog: dialog?.length ?? 0,
    analysis: analysis?.length ?? 0,
    tags: readTags(vcon),
    summary: analysis?.findLast(({ type }) => type === "summary")?.body ?? null,
  };
}
