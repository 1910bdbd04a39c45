import type { NormalTranscript, NormalWord } from "../../providers/transcription/transcriber.ts";
import { wordsOfSegments } from "./words-of-segments.ts";

/** SubRip: one cue for each word, or for each segment where there are no words. Empty for silence. */
export function toSrt({ words, segments }: NormalTranscript): string {
  const cues = words.length > 0 ? words : segments;
  return cues
    .map(({ start, end, text }, index) => {
      const times = `${srtTime(start)} --> ${srtTime(Math.max(end, start + 0.001))}`;
      return `${index + 1}\n${times}\n${srtText(text)}\n`;
    })
    .join("\n");
}

/** On one line, since a blank line ends a cue, and without what looks like times or markup. */
function srtText(text: string): string {
  return oneLine(text).replaceAll("-->", "→").replaceAll("<", "‹").replaceAll(">", "›");
}

function srtTime(seconds: number): string {
  const { hours, minutes, rest } = clock(seconds, 1000);
  return `${pad(hours)}:${pad(minutes)}:${pad(Math.floor(rest / 1000))},${pad(rest % 1000, 3)}`;
}

const assHeader = `[Script Info]
ScriptType: v4.00+
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,24,&H00FFFFFF,&H0000FFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
`;

/** Advanced SubStation Alpha: a line for each segment, whose words light up as they are said. */
export function toAss({ words, segments }: NormalTranscript): string {
  const members = wordsOfSegments(segments, words);
  const lines = segments.map((segment, index) => {
    const own = (members[index] ?? []).flatMap((member) => words[member] ?? []);
    const text = own.length > 0 ? karaoke(segment.start, own) : assText(segment.text);
    const times = `${assTime(segment.start)},${assTime(Math.max(segment.end, segment.start + 0.01))}`;
    return `Dialogue: 0,${times},Default,,0,0,0,,${text}\n`;
  });
  return assHeader + lines.join("");
}

/** Each word with the hundredths of a second until the next one, counted so that rounding does not add up. */
function karaoke(start: number, words: readonly NormalWord[]): string {
  const begin = hundredths(start);
  const first = hundredths(words[0]?.start ?? start);
  const lead = first > begin ? `{\\k${first - begin}}` : "";
  const sung = words.map((word, index) => {
    const until = hundredths(words[index + 1]?.start ?? word.end);
    return `{\\k${Math.max(0, until - hundredths(word.start))}}${assText(word.text)}`;
  });
  return lead + sung.join(" ");
}

/** Braces would open commands, and a backslash may be one. */
function assText(text: string): string {
  return oneLine(text).replaceAll("{", "(").replaceAll("}", ")").replaceAll("\\", "/");
}

function assTime(seconds: number): string {
  const { hours, minutes, rest } = clock(seconds, 100);
  return `${hours}:${pad(minutes)}:${pad(Math.floor(rest / 100))}.${pad(rest % 100)}`;
}

function hundredths(seconds: number): number {
  return Math.round(seconds * 100);
}

/** @param unit parts of a second that `rest` is counted in */
function clock(seconds: number, unit: number) {
  const total = Math.round(Math.max(0, seconds) * unit);
  return {
    hours: Math.floor(total / (3600 * unit)),
    minutes: Math.floor(total / (60 * unit)) % 60,
    rest: total % (60 * unit),
  };
}

function pad(number: number, digits = 2): string {
  return String(number).padStart(digits, "0");
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
