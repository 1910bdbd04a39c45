import type { JsonObject, JsonValue } from "@vconductor/vcon";
import type { ProcessorContext } from "../../processors/define.ts";
import type { CallContext } from "../call.ts";

/** What a provider of language models needs from its surroundings. */
export type ChatContext = CallContext & Pick<ProcessorContext, "secret" | "paid">;

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  /** Most tokens of the answer. */
  readonly maxTokens: number;
  /** 0 to 2: how free the answer is. */
  readonly temperature: number;
  /** `text`: as it comes. `json`: any JSON object. A JSON Schema: an object that fits it, as far as the provider can. */
  readonly answer: "text" | "json" | JsonObject;
}

export interface ChatReply {
  /** What the model wrote. */
  readonly text: string;
  /** The provider's whole answer. */
  readonly completion: JsonValue;
}

/** One provider of language models: asks, pays, and reads the answer. @throws provider_failed, budget_exceeded */
export type ChatModel = (context: ChatContext, request: ChatRequest) => Promise<ChatReply>;
