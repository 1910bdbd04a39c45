import type { JsonObject, JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../../errors.ts";
import type { Usage } from "../../processors/define.ts";
import { isJsonArray, isJsonObject } from "../../processors/json.ts";
import { callForJson } from "../call.ts";
import type { ChatContext, ChatModel, ChatReply, ChatRequest } from "./chat.ts";

/** Where an API like OpenAI's is, and how one signs in to it. */
export interface OpenAiEndpoint {
  /** In error texts, records and analyses, for example "openai". */
  readonly provider: string;
  /** Of `POST`, whole. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A model behind OpenAI's chat completions API, or one like it. */
export function openAiChat(endpoint: OpenAiEndpoint): ChatModel {
  return async (context, request) => {
    const body = bodyOf(request);
    const completion = await context.paid({ url: endpoint.url, body }, async () => {
      const answer = await complete(context, { endpoint, body });
      return { answer, usage: usageOf(answer, { provider: endpoint.provider, model: request.model }) };
    });
    return replyOf(endpoint.provider, completion);
  };
}

async function complete(
  context: ChatContext,
  { endpoint, body }: { readonly endpoint: OpenAiEndpoint; readonly body: JsonObject },
): Promise<JsonValue> {
  return await callForJson(context, {
    provider: endpoint.provider,
    url: endpoint.url,
    init: {
      method: "POST",
      headers: { ...endpoint.headers, "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    },
  });
}

/** Models that reason count the tokens of their thoughts as well, under another name, and take no temperature. */
const reasoning = /^(?:o\d|gpt-5)/;

function bodyOf({ model, messages, maxTokens, temperature, answer }: ChatRequest): JsonObject {
  const limits = reasoning.test(model)
    ? { max_completion_tokens: maxTokens }
    : { max_tokens: maxTokens, temperature };
  return {
    model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    ...limits,
    ...formatOf(answer),
  };
}

function formatOf(answer: ChatRequest["answer"]): JsonObject {
  if (answer === "text") return {};
  if (answer === "json") return { response_format: { type: "json_object" } };
  return { response_format: { type: "json_schema", json_schema: { name: "answer", schema: answer } } };
}

function usageOf(
  completion: JsonValue,
  { provider, model }: { readonly provider: string; readonly model: string },
): Usage {
  const counts = member(completion, "usage");
  return {
    provider,
    model,
    inputTokens: count(member(counts, "prompt_tokens")),
    outputTokens: count(member(counts, "completion_tokens")),
  };
}

function replyOf(provider: string, completion: JsonValue): ChatReply {
  const choices = member(completion, "choices");
  const [choice] = choices !== undefined && isJsonArray(choices) ? choices : [];
  const message = member(choice, "message");
  const text = member(message, "content");
  if (typeof text === "string") return { text, completion };
  const refusal = member(message, "refusal");
  const why = typeof refusal === "string" ? `refused: ${refusal}` : "gave an answer without a message";
  throw new VconductorError("provider_failed", `${provider} ${why.slice(0, 500)}`);
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

function count(value: JsonValue | undefined): number {
  return typeof value === "number" && value >= 0 ? Math.round(value) : 0;
}
