import { type JsonValue, type Turn, transcript, type Vcon } from "@vconductor/vcon";
import { Type } from "typebox";
import { defineProcessor } from "../define.ts";
import { withOwnAnalysis } from "../own-analysis.ts";
import { english, sentimentOf } from "../text/english.ts";
import { detectLanguage } from "../text/language.ts";

const mark = { type: "sentiment", product: "sentiment", schema: "sentiment/1" } as const;

export const sentiment = defineProcessor({
  name: "sentiment",
  title: "Sentiment",
  description:
    "How a conversation in English sounds, from -1 (bad) to 1 (good), without the network: the analysis of type sentiment " +
    "has score (of all words), trend (the last third less the first), parties and turns, each with its score. Other " +
    "languages get none.",
  version: "1.0.0",
  options: Type.Object({
    set_parameter: Type.String({
      title: "parameter",
      description: "Gets the score of the conversation, or null. Empty: none.",
      default: "",
    }),
  }),
  example: {
    about: "Sets the parameter mood, for a condition that follows.",
    options: { set_parameter: "mood" },
  },
  async process(io, { set_parameter, input_vcon_index }, { log }) {
    const vcon = io.peekVcon(input_vcon_index);
    const turns = transcript(vcon);
    const language = await detectLanguage(turns.map(({ text }) => text).join("\n"), {
      minimumCharacters: 20,
    });
    const foreign = language !== undefined && language.language !== "en";
    if (foreign) log.info({ ...language }, "no sentiment: the conversation is not in English");
    const body = foreign || turns.length === 0 ? undefined : await sentimentsOf(vcon, turns);
    io.update(withOwnAnalysis(vcon, { mark, body }));
    if (set_parameter !== "") io.parameters.set(set_parameter, body?.score ?? null);
    return io;
  },
});

interface Scored {
  readonly turn: Turn;
  readonly score: number;
}

async function sentimentsOf(vcon: Vcon, turns: readonly Turn[]) {
  const nlp = await english();
  const scored = turns.map((turn) => ({ turn, score: sentimentOf(nlp, turn.text) }));
  const third = Math.ceil(scored.length / 3);
  const parties: JsonValue[] = [...(vcon.parties ?? []).keys()].flatMap((party) => {
    const own = scored.filter(({ turn }) => turn.party === party);
    return own.length === 0 ? [] : [{ party, score: meanOf(own) }];
  });
  return {
    score: meanOf(scored),
    trend: rounded(meanOf(scored.slice(-third)) - meanOf(scored.slice(0, third))),
    parties,
    turns: scored.map(({ turn, score }) => ({
      ...(turn.dialog === undefined ? {} : { dialog: turn.dialog }),
      ...(turn.party === undefined ? {} : { party: turn.party }),
      ...(turn.start === undefined ? {} : { start: new Date(turn.start).toISOString() }),
      score: rounded(score),
    })),
  };
}

/** Long turns weigh more. */
function meanOf(scored: readonly Scored[]): number {
  const weight = scored.reduce((sum, { turn }) => sum + turn.text.length, 0);
  const sum = scored.reduce((total, { turn, score }) => total + score * turn.text.length, 0);
  return weight === 0 ? 0 : rounded(sum / weight);
}

function rounded(score: number): number {
  return Math.round(score * 1000) / 1000;
}
