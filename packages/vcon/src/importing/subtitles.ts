import type { CueNode } from "media-captions";
import { plausibleSeconds } from "../document/dates.ts";
import { readable } from "../document/parties.ts";
import type { Imported } from "./imported.ts";
import { invalidImport, textOf } from "./text-file.ts";
import { type TranscribedOptions, withRecording } from "./transcribed.ts";

/* The library's own types cannot be resolved by Node's rules: they import without file extensions. */
declare module "media-captions" {
  interface Cue {
    readonly startTime: number;
    readonly endTime: number;
    readonly text: string;
  }
  type CueNode =
    | { readonly type: "text"; readonly data: string }
    | { readonly type: "v"; readonly voice: string; readonly children: readonly CueNode[] }
    | { readonly type: "c" | "i" | "b" | "u" | "ruby"; readonly children: readonly CueNode[] };
  function parseText(
    text: string,
    options: { readonly type: "vtt" | "srt" },
  ): Promise<{ readonly cues: readonly Cue[] }>;
  function tokenizeVTTCue(cue: Cue): readonly CueNode[];
}

export interface SubtitleOptions extends TranscribedOptions {
  /** Default: "auto", by what is in the file */
  readonly format?: "auto" | "vtt" | "srt";
  /** Who made the subtitles. Default: "unknown" */
  readonly vendor?: string;
}

/** Something said, as `parseTranscript` reads it from a list: times in seconds from the start of the recording. */
export interface Line {
  readonly speaker?: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Reads subtitles, WebVTT or SubRip, as the transcript of a recording: an analysis whose body is a list of
 * `{ speaker, start, end, text }` with times in seconds. Speakers are told by WebVTT's `<v Name>`, or by "Name: " before
 * the text where that is so throughout.
 *
 * @throws VconError invalid_import there are no cues in it
 */
export async function importSubtitles(
  file: Uint8Array | string,
  { format = "auto", vendor = "unknown", ...options }: SubtitleOptions = {},
): Promise<Imported> {
  const lines = await readSubtitles(file, format);
  return withRecording(transcriptAnalysis(lines, vendor), {
    ...options,
    speakers: lines.flatMap(({ speaker }) => speaker ?? []),
  });
}

/** @throws VconError invalid_import there are no cues in it */
export async function readSubtitles(
  file: Uint8Array | string,
  format: "auto" | "vtt" | "srt" = "auto",
): Promise<readonly Line[]> {
  const { parseText, tokenizeVTTCue } = await import("media-captions");
  const text = textOf(file);
  const type = format === "auto" ? (/^WEBVTT/.test(text) ? "vtt" : "srt") : format;
  const { cues } = await parseText(text, { type }).catch((cause: unknown) => {
    throw invalidImport("The subtitles cannot be read.", cause);
  });
  const lines = cues.flatMap((cue) => {
    const [start, end] = [plausibleSeconds(cue.startTime), plausibleSeconds(cue.endTime)];
    if (start === undefined || end === undefined) return [];
    const spoken = type === "vtt" ? voices(tokenizeVTTCue(cue)) : [{ text: withoutTags(cue.text) }];
    return spoken.map((part) => ({ ...part, start, end }));
  });
  const named = lines.some(({ speaker }) => speaker !== undefined) ? lines : splitNames(lines);
  const clean = named
    .map((line) => ({ ...line, text: line.text.replace(/\s+/g, " ").trim() }))
    .filter(({ text: words }) => words !== "");
  if (clean.length > 0) return clean;
  throw invalidImport(
    "There are no subtitles in this file: it must be WebVTT or SubRip (SRT), with times and text.",
  );
}

export function transcriptAnalysis(lines: readonly Line[], vendor: string) {
  return {
    type: "transcript",
    vendor,
    mediatype: "application/json",
    encoding: "json",
    body: lines.map((line) => ({ ...line })),
  };
}

interface Part {
  readonly speaker?: string;
  readonly text: string;
}

const noSpeaker: string | undefined = undefined;

/** What each voice of a cue says. Text outside of any is its own part. */
function voices(nodes: readonly CueNode[]): readonly Part[] {
  const parts: { speaker?: string; text: string }[] = [];
  // A stack of its own: tags that are never closed may nest deeper than calls can.
  const ahead = nodes.map((node) => ({ node, speaker: noSpeaker })).reverse();
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const { node, speaker } = next;
    if (node.type !== "text") {
      const inner = node.type === "v" ? readable(node.voice) || undefined : speaker;
      for (const child of node.children.toReversed()) ahead.push({ node: child, speaker: inner });
      continue;
    }
    const last = parts.at(-1);
    if (last !== undefined && last.speaker === speaker) last.text += node.data;
    else parts.push(speaker === undefined ? { text: node.data } : { speaker, text: node.data });
  }
  return parts;
}

/** SubRip has no rules for markup; these are the tags that players know. A lone "<" is text. */
function withoutTags(text: string): string {
  return text.replace(/<\/?(?:[bius]|font(?: [^<>]{0,100})?)>|\{\\[^{}]{0,50}\}/gi, "");
}

const PREFIX = /^\s*(?:[-–]\s*)?([\p{L}\p{N}][^:\n<>]{0,59}):\s+(?=\S)/u;

/**
 * Takes "Ann Lee: " as the speaker where every second line at least begins like that, or the very same name begins two
 * lines: prose has colons as well.
 */
function splitNames(lines: readonly (Part & Pick<Line, "start" | "end">)[]): readonly Line[] {
  const rows = lines.flatMap((line) => line.text.split("\n").map((text) => ({ ...line, text })));
  const counts = new Map<string, number>();
  for (const { text } of rows) {
    const name = PREFIX.exec(text)?.[1]?.trim();
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const named = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const usual = named * 2 >= lines.length;
  return lines.flatMap(({ start, end, text }) => {
    const parts: { speaker?: string; text: string }[] = [];
    for (const row of text.split("\n")) {
      const match = PREFIX.exec(row);
      const name = match?.[1]?.trim() ?? "";
      const last = parts.at(-1);
      if (match !== null && (usual || (counts.get(name) ?? 0) > 1))
        parts.push({ speaker: name, text: row.slice(match[0].length) });
      else if (last !== undefined) last.text += ` ${row}`;
      else parts.push({ text: row });
    }
    return parts.map((part) => ({ ...part, start, end }));
  });
}
