import type { JsonObject, JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../../errors.ts";
import type { Usage } from "../../processors/define.ts";
import { isJsonArray, isJsonObject } from "../../processors/json.ts";
import { callForJson } from "../call.ts";
import type { ChatModel, ChatReply, ChatRequest } from "./chat.ts";

const provider = "anthropic";
/** The version of the API that this is written for. */
const apiVersion = "2023-06-01";
/** The tool that the model has to call when its answer is to be JSON: its input is the answer. */
const answerTool = "answer";

/** Anthropic's models, behind its messages API. */
export function anthropicChat(endpoint: { readonly baseUrl: string; readonly key: string }): ChatModel {
  const url = `${endpoint.baseUrl}/v1/messages`;
  return async (context, request) => {
    const body = bodyOf(request);
    const message = await context.paid({ url, body }, async () => {
      const answer = await callForJson(context, {
        provider,
        url,
        init: {
          method: "POST",
          headers: {
            "x-api-key": endpoint.key,
            "anthropic-version": apiVersion,
            "content-type": "application/json",
            accept: "application/json",
          },
          body: JSON.stringify(body),
        },
      });
      return { answer, usage: usageOf(answer, request.model) };
    });
    return replyOf(message);
  };
}

function bodyOf({ model, messages, maxTokens, temperature, answer }: ChatRequest): JsonObject {
  const system = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  const others = messages.filter(({ role }) => role !== "system");
  return {
    model,
    max_tokens: maxTokens,
    // Theirs goes from 0 to 1.
    temperature: Math.min(1, temperature),
    ...(system.length === 0 ? {} : { system: system.join("\n\n") }),
    messages: others.map(({ role, content }) => ({ role, content })),
    ...toolsOf(answer),
  };
}

function toolsOf(answer: ChatRequest["answer"]): JsonObject {
  if (answer === "text") return {};
  const schema: JsonObject = answer === "json" ? { type: "object" } : answer;
  return {
    tools: [{ name: answerTool, description: "Gives the answer.", input_schema: schema }],
    tool_choice: { type: "tool", name: answerTool },
  };
}

function usageOf(message: JsonValue, model: string): Usage {
  const usage = isJsonObject(message) ? message.usage : undefined;
  const tokens = (name: string): number => {
    const value = isJsonObject(usage) ? usage[name] : undefined;
    return typeof value === "number" && value >= 0 ? Math.round(value) : 0;
  };
  const inputTokens =
    tokens("input_tokens") + tokens("cache_creation_input_tokens") + tokens("cache_read_input_tokens");
  return { provider, model, inputTokens, outputTokens: tokens("output_tokens") };
}

function replyOf(message: JsonValue): ChatReply {
  const content = isJsonObject(message) ? message.content : undefined;
  const blocks = content !== undefined && isJsonArray(content) ? content.filter(isJsonObject) : [];
  const called = blocks.find((block) => block.type === "tool_use" && block.name === answerTool);
  if (called?.input !== undefined) return { text: JSON.stringify(called.input), completion: message };
  const texts = blocks.flatMap((block) => (typeof block.text === "string" ? [block.text] : []));
  if (texts.length > 0) return { text: texts.join(""), completion: message };
  throw new VconductorError("provider_failed", `${provider} gave an answer without text`);
}
