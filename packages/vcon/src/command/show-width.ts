/* How many columns a text takes in a terminal, and how to fill lines with it. Texts come from `visible`. */

/** In a narrower window lines break wherever they do. */
export const NARROWEST = 40;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
/** Latin, Greek and Cyrillic letters and common punctuation: one column each, and nothing that combines. */
const SIMPLE = /^[\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u20ac]*$/;

/** What Unicode calls wide or fullwidth, by its blocks; emoji are told by their properties. */
const WIDE =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{20000}-\u{3FFFD}]/u;
const EMOJI = /^(?:\p{Emoji_Presentation}|\p{RI}\p{RI}|.\uFE0F)/u;
const NOTHING = /^\p{M}/u;

/** Marks that pile up on one character would cover the lines around it. */
const LONGEST_GRAPHEME = 32;

/** The characters of a text as readers count them. */
function charactersOf(text: string): readonly string[] {
  if (SIMPLE.test(text)) return text.split("");
  return [...graphemes.segment(text)].map(({ segment }) =>
    segment.length > LONGEST_GRAPHEME ? segment.slice(0, LONGEST_GRAPHEME).toWellFormed() : segment,
  );
}

function characterWidth(character: string): number {
  if (EMOJI.test(character) || WIDE.test(character)) return 2;
  return NOTHING.test(character) ? 0 : 1;
}

/** Columns that a text takes. */
export function widthOf(text: string): number {
  if (SIMPLE.test(text)) return text.length;
  return charactersOf(text).reduce((width, character) => width + characterWidth(character), 0);
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** The beginning of a text, with an ellipsis where something is missing. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let room = width - 1;
  for (const character of charactersOf(text)) {
    room -= characterWidth(character);
    if (room < 0) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}

/** Text between two places where a line may end. */
interface Piece {
  readonly text: string;
  readonly width: number;
  /** There was space before it, which is shown unless a line begins here. */
  readonly spaced: boolean;
}

/** Chinese and Japanese lines do not begin with these. */
const CLINGING = /^[\p{Pe}\p{Pf}、。，．！？：；・ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々]/u;

/**
 * Breaks one line of text into lines of at most `width` columns: at spaces, between wide characters, and within words
 * that are longer than a line. Spaces at the beginning stay as an indent, up to eight.
 */
export function wrap(text: string, width: number): readonly string[] {
  const indent = " ".repeat(Math.min(8, Math.floor(width / 4), text.length - text.trimStart().length));
  const room = width - indent.length;
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const piece of piecesOf(text, room)) {
    const gap = piece.spaced && used > 0 ? 1 : 0;
    if (used > 0 && used + gap + piece.width > room) {
      lines.push(indent + line);
      line = "";
      used = 0;
    } else if (gap > 0) {
      line += " ";
      used += 1;
    }
    line += piece.text;
    used += piece.width;
  }
  return [...lines, used > 0 ? indent + line : ""];
}

function piecesOf(text: string, room: number): readonly Piece[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== "")
    .flatMap((word) => {
      const width = widthOf(word);
      if (width <= room && SIMPLE.test(word)) return [{ text: word, width, spaced: true }];
      return breakWord(word, room);
    });
}

function breakWord(word: string, room: number): readonly Piece[] {
  const pieces: Piece[] = [];
  let text = "";
  let width = 0;
  for (const character of charactersOf(word)) {
    const next = characterWidth(character);
    const divides = WIDE.test(character) || WIDE.test(text);
    if (text !== "" && ((divides && !CLINGING.test(character)) || width + next > room)) {
      pieces.push({ text, width, spaced: pieces.length === 0 });
      text = "";
      width = 0;
    }
    text += character;
    width += next;
  }
  return text === "" ? pieces : [...pieces, { text, width, spaced: pieces.length === 0 }];
}
