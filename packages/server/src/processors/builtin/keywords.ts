import { addTags, type JsonValue, transcript } from "@vconductor/vcon";
import { Type } from "typebox";
import { defineProcessor } from "../define.ts";
import { withOwnAnalysis } from "../own-analysis.ts";
import { english } from "../text/english.ts";
import { detectLanguage } from "../text/language.ts";
import { rankKeywords } from "../text/rank-keywords.ts";

const mark = { type: "keywords", product: "keywords", schema: "keywords/1" } as const;

export const keywords = defineProcessor({
  name: "keywords",
  title: "Keywords",
  description:
    "What a conversation in English is about, without the network: phrases of nouns and adjectives, the most telling " +
    "first. The analysis of type keywords is a list of keyword, score (0 to 1) and count. Other languages get none.",
  version: "1.0.0",
  options: Type.Object({
    limit: Type.Integer({
      title: "most keywords",
      description: "How many are kept.",
      minimum: 1,
      maximum: 100,
      default: 10,
    }),
    tag: Type.Boolean({
      title: "tag?",
      description: "Whether each also becomes a tag such as keyword:delivery date.",
      default: false,
    }),
    set_parameter: Type.String({
      title: "parameter",
      description: "Gets the list of keywords. Empty: none.",
      default: "",
    }),
  }),
  example: { about: "Keeps the three most telling ones, as tags too.", options: { limit: 3, tag: true } },
  async process(io, { limit, tag, set_parameter, input_vcon_index }, { log }) {
    const vcon = io.peekVcon(input_vcon_index);
    const text = transcript(vcon)
      .map((turn) => turn.text)
      .join("\n");
    const language = await detectLanguage(text, { minimumCharacters: 20 });
    const foreign = language !== undefined && language.language !== "en";
    if (foreign) log.info({ ...language }, "no keywords: the conversation is not in English");
    const found = foreign || text === "" ? [] : rankKeywords(await english(), text).slice(0, limit);
    const body: JsonValue | undefined = found.length === 0 ? undefined : found.map((entry) => ({ ...entry }));
    const words = found.map(({ keyword }) => keyword);
    const analysed = withOwnAnalysis(vcon, { mark, body });
    io.update(
      tag
        ? addTags(
            analysed,
            words.map((word) => `keyword:${word}`),
          )
        : analysed,
    );
    if (set_parameter !== "") io.parameters.set(set_parameter, words);
    return io;
  },
});
