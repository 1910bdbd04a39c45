import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { postToSlack, postToSlackWebhook } from "../../providers/slack.ts";
import { defineProcessor, type ProcessorContext } from "../define.ts";

export const slack = defineProcessor({
  name: "slack",
  title: "Post to Slack",
  description:
    "Posts a message as a Slack app (chat.postMessage: a token and a channel), or by an incoming webhook, which has its " +
    "channel. The text is sent as it is: where it brings in content of vCons that may hold &, < or >, write these as " +
    "&amp;, &lt; and &gt;, or Slack may take them for links and mentions. Takes vCons in any state.",
  version: "1.0.0",
  example: {
    about: "Posts to a channel as the app whose token is in SLACK_BOT_TOKEN.",
    options: { channel: "#calls", text: "A conversation *ended*." },
  },
  options: Type.Object({
    channel: Type.String({
      title: "channel",
      description: "Id or name of the channel, or id of a user; for messages with a token.",
      default: "",
    }),
    text: Type.String({
      title: "text",
      description: "The message in Slack's mrkdwn; beside blocks, what notifications show.",
      default: "",
    }),
    blocks: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
      title: "blocks",
      description: "The message as Block Kit objects.",
      default: [],
    }),
    thread_ts: Type.String({
      title: "thread",
      description: "ts of the message to answer in its thread, for example {slack_ts} by format_options.",
      default: "",
    }),
    set_parameter: Type.String({
      title: "set parameter",
      description:
        "The parameter that becomes the ts of the message. Webhooks tell none. Empty: none is set.",
      default: "slack_ts",
    }),
    token: Type.String({
      title: "token",
      description: "Of an app with the scope chat:write. Empty: SLACK_BOT_TOKEN.",
      default: "",
      writeOnly: true,
    }),
    webhook_url: Type.String({
      title: "webhook URL",
      description:
        "Of an incoming webhook. Empty: SLACK_WEBHOOK_URL, where there is neither channel nor token.",
      default: "",
      writeOnly: true,
    }),
  }),
  async process(io, options, context) {
    const { channel, text, blocks, thread_ts, set_parameter } = options;
    if (text === "" && blocks.length === 0) throw bad("nothing to post: set text, or blocks");
    const target = targetOf(options, context);
    const message = {
      ...(text === "" ? {} : { text }),
      ...(blocks.length === 0 ? {} : { blocks }),
      ...(thread_ts === "" ? {} : { thread_ts }),
    };
    if ("webhookUrl" in target) {
      await postToSlackWebhook(context, { url: target.webhookUrl, message });
      return io;
    }
    const ts = await postToSlack(context, { token: target.token, message: { channel, ...message } });
    if (set_parameter !== "") io.parameters.set(set_parameter, ts);
    return io;
  },
});

interface Given {
  readonly channel: string;
  readonly token: string;
  readonly webhook_url: string;
}

/** What the options say goes before what the settings say. */
function targetOf(
  given: Given,
  { secret }: Pick<ProcessorContext, "secret">,
): { readonly webhookUrl: string } | { readonly token: string } {
  const wantsApp = given.channel !== "" || given.token !== "";
  if (given.webhook_url !== "" && wantsApp) {
    throw bad("webhook_url goes with neither channel nor token: a webhook has its own channel");
  }
  const webhookUrl = given.webhook_url || (wantsApp ? "" : (secret("SLACK_WEBHOOK_URL") ?? ""));
  if (webhookUrl !== "") return { webhookUrl };
  const token = given.token || (secret("SLACK_BOT_TOKEN") ?? "");
  if (token === "") {
    throw bad(
      wantsApp
        ? "no token for the channel: set the option token, or SLACK_BOT_TOKEN for all pipelines"
        : "nowhere to post to: set channel and token (or SLACK_BOT_TOKEN), or webhook_url (or SLACK_WEBHOOK_URL)",
    );
  }
  if (given.channel === "") throw bad("no channel: set the option channel");
  return { token };
}

function bad(what: string): VconductorError {
  return new VconductorError("invalid_options", what);
}
