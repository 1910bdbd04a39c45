import type { Turn } from "../conversation/transcript.ts";
import { writeDate } from "../document/dates.ts";
import type { JsonObject } from "../document/types.ts";
import type { Scrubber } from "./scrubber.ts";

/**
 * What was spoken, without personal data: one transcript per dialog, as a list of turns. Turns of one speaker in a row
 * are looked at together, because people pause within a number.
 */
export async function redactedTranscripts(
  turns: readonly Turn[],
  scrubber: Scrubber,
): Promise<readonly JsonObject[]> {
  const spoken = turns.filter(({ source }) => source !== "dialog");
  const byDialog = Map.groupBy(spoken, ({ dialog }) => dialog);
  const analyses: JsonObject[] = [];
  for (const [dialog, list] of byDialog) {
    const place = dialog === undefined ? "transcript" : `dialog[${dialog}]`;
    const body: JsonObject[] = [];
    for (const group of inARow(list)) {
      const texts = await scrubber.pieces(group.map(({ text }) => ({ text, place })));
      body.push(...group.map((turn, index) => entryOf(turn, texts[index] ?? "")));
    }
    analyses.push({
      type: "transcript",
      ...(dialog === undefined ? {} : { dialog }),
      vendor: "vconductor",
      product: "redact_pii",
      schema: "turns",
      mediatype: "application/json",
      encoding: "json",
      body,
    });
  }
  return analyses;
}

function inARow(turns: readonly Turn[]): readonly (readonly Turn[])[] {
  const groups: Turn[][] = [];
  for (const turn of turns) {
    const last = groups.at(-1);
    if (last?.[0]?.partyLabel === turn.partyLabel) last.push(turn);
    else groups.push([turn]);
  }
  return groups;
}

function entryOf({ party, start, duration }: Turn, text: string): JsonObject {
  return {
    ...(party === undefined ? {} : { party }),
    ...(start === undefined ? {} : { start: writeDate(start) }),
    ...(duration === undefined ? {} : { duration }),
    text,
  };
}
