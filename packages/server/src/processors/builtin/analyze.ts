import { type Analysis, addTags, type JsonValue, type Vcon } from "@vconductor/vcon";
import { type Static, Type } from "typebox";
import { chatProviders, openChat } from "../../providers/language/open-chat.ts";
import { choice } from "../choice.ts";
import { defineProcessor, type ProcessorContext } from "../define.ts";
import { type AnswerShape, answerShape, askForAnswer } from "../language/answer.ts";
import { conversationView, fillPrompt } from "../language/conversation-view.ts";
import { inputDialogs, selectDialogs } from "../select-dialogs.ts";

const product = "analyze";

const options = Type.Object({
  provider: choice(chatProviders, {
    title: "provider",
    description:
      "Whose model. compatible: any server with OpenAI's API, at base_url. Keys are in the server's environment.",
    default: "openai",
  }),
  model: Type.String({
    title: "model",
    description: "The model's name; for azure, the deployment's.",
    minLength: 1,
  }),
  base_url: Type.String({
    title: "address",
    description: "Of the provider's API instead of the one in the settings; needed for compatible.",
    default: "",
  }),
  api_key: Type.String({
    title: "key",
    description: "For the provider, instead of the one in the settings.",
    default: "",
    writeOnly: true,
  }),
  prompt: Type.String({
    title: "prompt",
    description:
      "What the model is to do. {transcript}, {subject}, {parties}, {date}, {tags} and the names of parameters, in " +
      "braces, are replaced. Without {transcript}, what was said follows the prompt.",
    minLength: 1,
  }),
  system: Type.String({
    title: "system prompt",
    description: "Who the model is to be.",
    default: "You analyse conversations. You answer from what is said in them, and from nothing else.",
  }),
  per: choice(["vcon", "dialog"], {
    title: "per",
    description: "One answer for the whole vCon, or one for each dialog.",
    default: "vcon",
  }),
  input_dialogs: { ...inputDialogs, default: "" },
  analysis_type: Type.String({
    title: "type",
    description: "Of the analysis.",
    default: "summary",
    minLength: 1,
  }),
  json_schema: Type.Unsafe<Readonly<Record<string, JsonValue>>>({
    type: "object",
    isJsonSchema: true,
    title: "schema",
    description: "JSON Schema of the answer, which is checked; empty: the answer is text.",
    default: {},
  }),
  labels: Type.Array(Type.String({ minLength: 1 }), {
    title: "labels",
    description: "The model chooses among these; the ones it chose are the answer, and become tags.",
    default: [],
  }),
  several_labels: Type.Boolean({
    title: "several labels?",
    description: "Whether more than one label, or none, may be chosen.",
    default: false,
  }),
  tag_prefix: Type.String({
    title: "tag prefix",
    description: "Before the label in a tag: topic makes topic:billing. Empty: the type of the analysis.",
    default: "",
  }),
  max_tokens: Type.Integer({
    title: "most tokens",
    description: "Longest answer, in tokens.",
    default: 1000,
    minimum: 1,
  }),
  temperature: Type.Number({
    title: "temperature",
    description: "How free the answer is.",
    default: 0,
    minimum: 0,
    maximum: 2,
  }),
  set_parameter: Type.String({
    title: "parameter",
    description: "Gets the answer (of several dialogs, a list). Empty: none.",
    default: "",
  }),
  overwrite: Type.Boolean({
    title: "overwrite?",
    description: "Whether to ask again although this prompt's answer is there already; it is then replaced.",
    default: false,
  }),
});

export const analyze = defineProcessor({
  name: "analyze",
  title: "Analyse with a language model",
  description:
    "Asks a language model about the conversation and keeps the answer as an analysis: text, JSON that fits a schema, or " +
    "labels that become tags. An answer that does not fit is sent back once, with what is wrong; after that it is an error. " +
    "Dialogs without words are left out.",
  version: "1.0.0",
  options,
  example: {
    about: "Labels what the conversation is about; the label becomes a tag such as topic:delivery.",
    options: {
      provider: "openai",
      model: "gpt-4o-mini",
      prompt: "What is this conversation about?",
      analysis_type: "topic",
      labels: ["billing", "delivery", "other"],
    },
  },
  async process(io, given, context) {
    let vcon = io.peekVcon(given.input_vcon_index);
    const selected = selectDialogs(given.input_dialogs, (vcon.dialog ?? []).length);
    const targets = given.per === "dialog" ? selected.map((dialog) => [dialog]) : [selected];
    const asking: Asking = { shape: answerShape(given), given, context, parameters: io.parameters };
    const answers: JsonValue[] = [];
    for (const [done, dialogs] of targets.entries()) {
      const answered = await answer(vcon, dialogs, asking);
      if (answered !== undefined) {
        vcon = answered.vcon;
        answers.push(answered.body);
      }
      context.progress(((done + 1) / targets.length) * 100);
    }
    io.update(vcon);
    if (given.set_parameter !== "") {
      io.parameters.set(given.set_parameter, given.per === "dialog" ? answers : (answers[0] ?? null));
    }
    return io;
  },
});

interface Asking {
  readonly shape: AnswerShape;
  readonly given: Static<typeof options>;
  readonly context: ProcessorContext;
  readonly parameters: ReadonlyMap<string, JsonValue>;
}

/** The answer about some dialogs, and the vCon with it; undefined when nothing was said in them. */
async function answer(vcon: Vcon, dialogs: readonly number[], asking: Asking) {
  const { shape, given, context, parameters } = asking;
  const view = conversationView(vcon, dialogs);
  if (view.transcript === "") return undefined;
  const { model, provider, system, max_tokens: maxTokens, temperature } = given;
  const about = given.per === "dialog" ? (dialogs[0] ?? 0) : [...dialogs];
  const marks = {
    type: given.analysis_type,
    dialog: about,
    vendor: provider,
    product,
    model,
    prompt: given.prompt,
  };
  const analysis = vcon.analysis ?? [];
  const earlier = analysis.findIndex((entry) => isSame(entry, marks));
  const known = analysis[earlier]?.body;
  if (known !== undefined && !given.overwrite) return { vcon, body: known };
  const chat = openChat(context, { provider, model, baseUrl: given.base_url, key: given.api_key });
  const body = await askForAnswer(
    { chat, context },
    {
      shape,
      model,
      maxTokens,
      temperature,
      messages: [
        { role: "system", content: system },
        {
          role: "user",
          content: question(given.prompt, { view, parameters, instructions: shape.instructions }),
        },
      ],
    },
  );
  const entry = { ...marks, ...(typeof body === "string" && !isLabels(given) ? plainText : json), body };
  const next = analysis.toSpliced(earlier < 0 ? analysis.length : earlier, earlier < 0 ? 0 : 1, entry);
  return { vcon: tagged({ ...vcon, analysis: next }, { body, given }), body };
}

const plainText = { mediatype: "text/plain", encoding: "none" } as const;
const json = { mediatype: "application/json", encoding: "json" } as const;

function isLabels(given: Asking["given"]): boolean {
  return given.labels.length > 0;
}

function question(
  prompt: string,
  {
    view,
    parameters,
    instructions,
  }: {
    readonly view: ReturnType<typeof conversationView>;
    readonly parameters: Asking["parameters"];
    readonly instructions: string;
  },
): string {
  const filled = fillPrompt(prompt, { view, parameters });
  const said = prompt.includes("{transcript}") ? [] : [`The conversation:\n${view.transcript}`];
  return [filled, ...said, ...(instructions === "" ? [] : [instructions])].join("\n\n");
}

/** Whether an analysis is the answer to the same question. */
function isSame(entry: Analysis, marks: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(marks).every(
    ([name, value]) => JSON.stringify(entry[name]) === JSON.stringify(value),
  );
}

function tagged(
  vcon: Vcon,
  { body, given }: { readonly body: JsonValue; readonly given: Asking["given"] },
): Vcon {
  if (!isLabels(given) || !Array.isArray(body)) return vcon;
  const prefix = given.tag_prefix === "" ? given.analysis_type : given.tag_prefix;
  return addTags(
    vcon,
    body.map((label) => `${prefix}:${String(label)}`),
  );
}
