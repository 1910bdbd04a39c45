import { transcript, type Vcon } from "@vconductor/vcon";
import { Type } from "typebox";
import { defineProcessor } from "../define.ts";
import { withOwnAnalysis } from "../own-analysis.ts";
import { detectLanguage } from "../text/language.ts";

const mark = { type: "language", product: "language_detect", schema: "language/1" } as const;

export const languageDetect = defineProcessor({
  name: "language_detect",
  title: "Detect the language",
  description:
    "Finds out, without the network, which language is spoken or written, in all and in each dialog. The analysis of type " +
    "language has language (BCP 47), confidence from 0 to 1, and dialogs, each with the same. Too few words: no verdict.",
  version: "1.0.0",
  options: Type.Object({
    set_parameter: Type.String({
      title: "parameter",
      description: "Gets the language of the conversation, or null. Empty: none.",
      default: "language",
    }),
    minimum_characters: Type.Integer({
      title: "least characters",
      description: "Texts with fewer get no verdict.",
      minimum: 1,
      default: 20,
    }),
    languages: Type.Array(Type.String({ pattern: "^[a-z]{2,3}$" }), {
      title: "languages",
      description: 'The ones to choose among, such as "en" and "de". Empty: all that are known.',
      default: [],
    }),
  }),
  example: { about: "Chooses between two languages.", options: { languages: ["en", "de"] } },
  async process(io, { set_parameter, input_vcon_index, ...options }) {
    const vcon = io.peekVcon(input_vcon_index);
    const settings = { minimumCharacters: options.minimum_characters, languages: options.languages };
    const body = await languageOf(vcon, settings);
    io.update(withOwnAnalysis(vcon, { mark, body }));
    if (set_parameter !== "") io.parameters.set(set_parameter, body?.language ?? null);
    return io;
  },
});

async function languageOf(vcon: Vcon, options: Parameters<typeof detectLanguage>[1]) {
  const turns = transcript(vcon);
  const whole = await detectLanguage(turns.map(({ text }) => text).join("\n"), options);
  if (whole === undefined) return undefined;
  const dialogs = [];
  for (const dialog of new Set(turns.flatMap((turn) => turn.dialog ?? []))) {
    const words = turns.filter((turn) => turn.dialog === dialog).map(({ text }) => text);
    const found = await detectLanguage(words.join("\n"), options);
    if (found !== undefined) dialogs.push({ dialog, ...found });
  }
  return { ...whole, dialogs };
}
