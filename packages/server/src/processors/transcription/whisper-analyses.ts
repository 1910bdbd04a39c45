import type { Analysis, JsonObject, JsonValue, Vcon } from "@vconductor/vcon";
import { readOpenAi } from "../../providers/transcription/openai-answer.ts";
import { objectIn, objectsIn, textIn } from "../../providers/transcription/read-answer.ts";
import type { NormalTranscript, Transcription } from "../../providers/transcription/transcriber.ts";
import type { ProcessorContext } from "../define.ts";
import { eachRecording } from "./each-recording.ts";
import { toAss, toSrt } from "./subtitles.ts";
import { transcribeRecording } from "./transcribe-recording.ts";
import { wordsOfSegments } from "./words-of-segments.ts";

/** What the reference's Whisper gives: the transcript, and its words as subtitles of two kinds. */
export const whisperOutputs = ["vendor", "word_srt", "word_ass"] as const;
export type WhisperOutput = (typeof whisperOutputs)[number];

const schemas: Readonly<Record<WhisperOutput, string>> = {
  vendor: "whisper_word_timestamps",
  word_srt: "whisper_word_srt",
  word_ass: "whisper_word_ass",
};

const mark = { type: "transcript", vendor: "openai", product: "whisper" } as const;

export interface AddWhisper {
  readonly context: ProcessorContext;
  readonly dialogs: readonly number[];
  readonly language: string;
  readonly model: string;
  readonly outputs: readonly WhisperOutput[];
  /** Further reason to leave a dialog alone. */
  readonly skip?: (vcon: Vcon, dialog: number) => boolean;
}

/** The vCon with those of the outputs that recordings among `dialogs` do not have yet. */
export async function addWhisper(vcon: Vcon, add: AddWhisper): Promise<Vcon> {
  const { context, dialogs, language, model, outputs, skip = () => false } = add;
  const missing = (current: Vcon, index: number) =>
    outputs.filter((output) => earlier(current, index, output) === undefined);
  const derived = dialogs.reduce(
    (current, index) => withSubtitles(current, index, missing(current, index)),
    vcon,
  );
  return eachRecording(derived, {
    context,
    dialogs,
    wanted: (current, index) => missing(current, index).length > 0 && !skip(current, index),
    async work(current, { dialog, index, recording, progress }) {
      const transcription = await transcribeRecording(
        context,
        { vcon, dialog, recording, progress },
        { provider: "whisper", model, language, diarize: false, channels: "mix", maxPartMinutes: 0 },
      );
      const made = missing(current, index).map((output) => analysis(index, output, transcription));
      return { ...current, analysis: [...(current.analysis ?? []), ...made] };
    },
  });
}

function earlier(vcon: Vcon, dialog: number, output: WhisperOutput): Analysis | undefined {
  return (vcon.analysis ?? []).find(
    (entry) =>
      entry.type === mark.type &&
      entry.vendor === mark.vendor &&
      entry.product === mark.product &&
      entry.schema === schemas[output] &&
      [entry.dialog].flat().includes(dialog),
  );
}

/** Subtitles of a dialog that was transcribed before need no second transcription. */
function withSubtitles(vcon: Vcon, dialog: number, missing: readonly WhisperOutput[]): Vcon {
  const body = earlier(vcon, dialog, "vendor")?.body ?? null;
  if (missing.length === 0 || typeof objectIn(body).text !== "string") return vcon;
  const transcript = readOpenAi(body, { provider: "whisper" });
  const made = missing.map((output) => subtitles(dialog, output, transcript));
  return { ...vcon, analysis: [...(vcon.analysis ?? []), ...made] };
}

function analysis(dialog: number, output: WhisperOutput, { transcript, vendor }: Transcription): Analysis {
  if (output !== "vendor") return subtitles(dialog, output, transcript);
  const body = whisperBody(vendor, transcript);
  return { ...markOf(dialog, output), mediatype: "application/json", encoding: "json", body };
}

function subtitles(dialog: number, output: WhisperOutput, transcript: NormalTranscript): Analysis {
  const srt = output === "word_srt";
  return {
    ...markOf(dialog, output),
    mediatype: srt ? "application/x-subrip" : "text/x-ssa",
    encoding: "none",
    body: srt ? toSrt(transcript) : toAss(transcript),
  };
}

function markOf(dialog: number, output: WhisperOutput) {
  const { type, vendor, product } = mark;
  return { type, dialog, vendor, product, schema: schemas[output] };
}

/** As Whisper's own program writes it: the words within their segments, each with the blank before it. */
function whisperBody(vendor: JsonValue, transcript: NormalTranscript): JsonObject {
  const { text, segments, words, language } = transcript;
  const members = wordsOfSegments(segments, words);
  const given = objectsIn(objectIn(vendor).segments);
  return {
    text: textIn(objectIn(vendor).text) || text,
    segments: segments.map((segment, id) => ({
      ...(given.length === segments.length ? given[id] : {}),
      id,
      start: segment.start,
      end: segment.end,
      text: ` ${segment.text}`,
      words: (members[id] ?? []).flatMap((index) => {
        const word = words[index];
        if (word === undefined) return [];
        const { start, end, confidence } = word;
        const probability = confidence === undefined ? {} : { probability: confidence };
        return [{ word: ` ${word.text}`, start, end, ...probability }];
      }),
    })),
    language: language ?? null,
  };
}
