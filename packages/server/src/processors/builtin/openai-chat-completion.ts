import type { Analysis, JsonValue } from "@vconductor/vcon";
import { Type } from "typebox";
import { hasOpenAi, openChat } from "../../providers/language/open-chat.ts";
import { defineProcessor } from "../define.ts";
import { chatMessages } from "../language/chunks.ts";
import { inputDialogs, selectDialogs } from "../select-dialogs.ts";
import { transcribeMissing } from "../transcription/transcribe-missing.ts";

export const openaiChatCompletion = defineProcessor({
  name: "openai_chat_completion",
  title: "OpenAI chat completion",
  description:
    "Puts what was said and written to a model of OpenAI, or of a compatible server (OPENAI_BASE_URL), and keeps its " +
    "answer as an analysis. Recordings without a transcript are transcribed first where a Whisper server is set " +
    "(WHISPER_BASE_URL), else left out. Does nothing when there are no words, or no OPENAI_API_KEY.",
  version: "1.0.0",
  options: Type.Object({
    input_dialogs: { ...inputDialogs, default: "" },
    model: Type.String({
      title: "model",
      description: "The model's name.",
      default: "gpt-4-1106-preview",
      minLength: 1,
    }),
    prompt: Type.String({
      title: "prompt",
      description: "What the model is to do.",
      default: "Summarize the transcript in these messages.",
    }),
    max_tokens: Type.Integer({
      title: "most tokens",
      description: "Longest answer, in tokens.",
      default: 100,
      minimum: 1,
    }),
    temperature: Type.Number({
      title: "temperature",
      description: "How free the answer is.",
      default: 0,
      minimum: 0,
      maximum: 2,
    }),
    jq_result: Type.String({
      title: "result",
      description: "jq program over the provider's answer; its first result is the body of the analysis.",
      default: ".choices[0].message.content",
      minLength: 1,
    }),
    json_response: Type.Boolean({
      title: "JSON?",
      description: "Whether the model has to answer with a JSON object.",
      default: false,
    }),
    analysis_type: Type.String({
      title: "type",
      description: "Of the analysis.",
      default: "summary",
      minLength: 1,
    }),
  }),
  example: {
    about: "Adds a list of action items.",
    options: {
      model: "gpt-4o-mini",
      prompt: "List the action items of this conversation, one in a line.",
      analysis_type: "action items",
    },
  },
  async process(io, options, context) {
    const index = options.input_vcon_index;
    const selected = selectDialogs(options.input_dialogs, (io.peekVcon(index).dialog ?? []).length);
    if (!hasOpenAi(context)) {
      context.log.warn(
        { processor: "openai_chat_completion" },
        "OPENAI_API_KEY is not set: nothing was done",
      );
      return io;
    }
    await transcribeMissing(io, { index, dialogs: selected, context });
    const vcon = io.peekVcon(index);
    const said = chatMessages(vcon, selected);
    if (said.length === 0) return io;
    const { model, prompt } = options;
    const { completion } = await openChat(context, { provider: "openai", model })(context, {
      model,
      messages: [
        ...said.map((content) => ({ role: "user" as const, content })),
        { role: "system", content: "You are a helpful assistant." },
        { role: "system", content: prompt },
      ],
      maxTokens: options.max_tokens,
      temperature: options.temperature,
      answer: options.json_response ? "json" : "text",
    });
    const [body] = await context.jq(options.jq_result, completion);
    if (body === undefined || body === null) return io;
    const [only, ...more] = selected;
    const analysis: Analysis = {
      type: options.analysis_type,
      dialog: more.length === 0 && only !== undefined ? only : [...selected],
      vendor: "openai",
      product: "ChatCompletion",
      ...described(body, options.jq_result),
      prompt,
      model,
    };
    io.update({ ...vcon, analysis: [...(vcon.analysis ?? []), analysis] });
    return io;
  },
});

function described(
  body: JsonValue,
  query: string,
): Pick<Analysis, "schema" | "mediatype" | "encoding" | "body"> {
  if (typeof body === "string") return { schema: "text", mediatype: "text/plain", encoding: "none", body };
  const schema = query.trim() === "." ? "chat_completion_object" : `chat_completion_object ?jq=${query}`;
  return { schema, mediatype: "application/json", encoding: "json", body };
}
