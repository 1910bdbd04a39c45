import { ProviderDouble, type Received, type Reply } from "./provider.ts";

/** What a model writes: for each request the next of these, and the last one for all that follow. */
export class ModelScript {
  #answers: readonly string[] = [];
  #asked = 0;

  constructor(...answers: readonly string[]) {
    this.answers = answers;
  }

  set answers(answers: readonly string[]) {
    this.#answers = answers;
    this.#asked = 0;
  }

  next(): string {
    const answer = this.#answers[Math.min(this.#asked, this.#answers.length - 1)] ?? "";
    this.#asked += 1;
    return answer;
  }
}

/** OpenAI's chat completions: checks what the real one checks of a request. @param key none: any request may come in */
export function openAiDouble(script: ModelScript, key?: string): Promise<ProviderDouble> {
  return ProviderDouble.start((request) => {
    const { method, path, headers } = request;
    if (key !== undefined && headers.authorization !== `Bearer ${key}` && headers["api-key"] !== key) {
      return {
        status: 401,
        body: { error: { message: "Incorrect API key provided", type: "invalid_request_error" } },
      };
    }
    if (method !== "POST" || !path.split("?")[0]?.endsWith("/chat/completions"))
      return { status: 404, body: {} };
    const body = bodyOf(request);
    if (typeof body?.model !== "string" || !Array.isArray(body.messages) || body.messages.length === 0) {
      return { status: 400, body: { error: { message: "model and messages are required" } } };
    }
    const content = script.next();
    return {
      body: {
        id: "chatcmpl-1",
        object: "chat.completion",
        created: 1_700_000_000,
        model: body.model,
        choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
        usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
      },
    };
  });
}

/** Anthropic's messages API. */
export function anthropicDouble(script: ModelScript, key: string): Promise<ProviderDouble> {
  return ProviderDouble.start((request): Reply => {
    const { headers } = request;
    if (headers["x-api-key"] !== key) {
      return {
        status: 401,
        body: { type: "error", error: { type: "authentication_error", message: "invalid x-api-key" } },
      };
    }
    const body = bodyOf(request);
    const wrong = (message: string) => ({ status: 400, body: { type: "error", error: { message } } });
    if (headers["anthropic-version"] === undefined) return wrong("anthropic-version: header is required");
    if (typeof body?.max_tokens !== "number") return wrong("max_tokens: field required");
    const messages: unknown = body.messages;
    if (!Array.isArray(messages) || messages[0]?.role !== "user")
      return wrong("messages: first must be user");
    const written = script.next();
    const tool = Array.isArray(body.tools) ? body.tools[0]?.name : undefined;
    const content =
      tool === undefined
        ? { type: "text", text: written }
        : { type: "tool_use", id: "t", name: tool, input: JSON.parse(written) };
    return {
      body: {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: body.model,
        content: [content],
        stop_reason: tool === undefined ? "end_turn" : "tool_use",
        usage: { input_tokens: 90, output_tokens: 9, cache_read_input_tokens: 10 },
      },
    };
  });
}

function bodyOf({ body }: Received): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
