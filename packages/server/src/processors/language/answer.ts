import type { JsonObject, JsonValue } from "@vconductor/vcon";
import { Ajv, type ValidateFunction } from "ajv";
import { VconductorError } from "../../errors.ts";
import type { ChatContext, ChatMessage, ChatModel, ChatRequest } from "../../providers/language/chat.ts";
import { isJsonObject } from "../json.ts";

/** What answer is wanted, and how it is read. */
export interface AnswerShape {
  readonly request: ChatRequest["answer"];
  /** Added to the prompt. */
  readonly instructions: string;
  /** The answer in what the model wrote, or what is wrong with it. */
  read(text: string): { readonly body: JsonValue } | { readonly problem: string };
}

export interface WantedAnswer {
  /** Empty: text. */
  readonly json_schema: JsonObject;
  /** Empty: no labels. */
  readonly labels: readonly string[];
  readonly several_labels: boolean;
}

export function answerShape({ json_schema, labels, several_labels }: WantedAnswer): AnswerShape {
  if (labels.length > 0) return labelShape(labels, several_labels);
  if (Object.keys(json_schema).length > 0) return jsonShape(json_schema);
  return {
    request: "text",
    instructions: "",
    read: (text) => (text.trim() === "" ? { problem: "the answer is empty" } : { body: text.trim() }),
  };
}

const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false, logger: false });

function jsonShape(schema: JsonObject): AnswerShape {
  const validate = compile(schema);
  return {
    request: schema,
    instructions: `Answer with JSON only, an object that fits this JSON Schema: ${JSON.stringify(schema)}`,
    read(text) {
      const body = parse(text);
      if (body === undefined) return { problem: "the answer is not JSON" };
      return validate(body) ? { body } : { problem: ajv.errorsText(validate.errors, { dataVar: "answer" }) };
    },
  };
}

function labelShape(labels: readonly string[], several: boolean): AnswerShape {
  const shape = jsonShape({
    type: "object",
    properties: {
      labels: {
        type: "array",
        items: { type: "string", enum: [...labels] },
        uniqueItems: true,
        ...(several ? {} : { minItems: 1, maxItems: 1 }),
      },
    },
    required: ["labels"],
    additionalProperties: false,
  });
  const choice = several ? "every one that fits, or none" : "the one that fits best";
  return {
    ...shape,
    instructions: `Choose ${choice} of these labels: ${labels.join(", ")}. ${shape.instructions}`,
    read(text) {
      const read = shape.read(text);
      if (!("body" in read) || !isJsonObject(read.body)) return read;
      return { body: read.body.labels ?? [] };
    },
  };
}

/** @throws invalid_options */
function compile(schema: JsonObject): ValidateFunction {
  try {
    return ajv.compile(schema);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VconductorError("invalid_options", `json_schema is not a JSON Schema: ${why}`, { cause });
  }
}

/** Models like to put JSON into a fence of Markdown. */
function parse(text: string): JsonValue | undefined {
  const fenced = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?\s*```\s*$/i.exec(text)?.[1];
  try {
    return JSON.parse(fenced ?? text);
  } catch {
    return undefined;
  }
}

/**
 * Asks until the answer fits, at most twice: the second time with what was wrong with the first.
 *
 * @throws provider_failed the second answer does not fit either
 */
export async function askForAnswer(
  { chat, context }: { readonly chat: ChatModel; readonly context: ChatContext },
  { shape, ...request }: Omit<ChatRequest, "answer"> & { readonly shape: AnswerShape },
): Promise<JsonValue> {
  const ask = (messages: readonly ChatMessage[]) =>
    chat(context, { ...request, messages, answer: shape.request });
  const first = await ask(request.messages);
  const read = shape.read(first.text);
  if ("body" in read) return read.body;
  context.log.warn(
    { model: request.model, problem: read.problem },
    "the model's answer does not fit; asking once more",
  );
  const { text } = await ask([
    ...request.messages,
    { role: "assistant", content: first.text.trim() || "(empty)" },
    { role: "user", content: `That does not fit: ${read.problem}. Answer again, as asked.` },
  ]);
  const again = shape.read(text);
  if ("body" in again) return again.body;
  const shown = context.mask(text).slice(0, 500);
  throw new VconductorError(
    "provider_failed",
    `the answer of ${request.model} does not fit: ${again.problem}: ${shown}`,
  );
}
