/*
 * Strings of a document on their way to a terminal. A control character could move the cursor or change the colour, a
 * bidirectional one turn a line around, an invisible one hide in a name: the reader would see what is not there. All
 * of them are replaced by something that can be seen.
 */

/** Of single-line strings no more is looked at: a name of a megabyte says no more than its beginning. */
const LONGEST = 500;

/**
 * Flags of regions are a black flag and tag characters; joiners and variation selectors belong to emoji and to several
 * scripts. These stay; whatever else cannot be seen does not.
 */
const KEPT =
  "\\u{1F3F4}[\\u{E0061}-\\u{E007A}]{1,6}\\u{E007F}|[\\u200C\\u200D\\u180B-\\u180D\\uFE00-\\uFE0F\\u{E0100}-\\u{E01EF}]";
const HIDDEN = "[\\p{Cc}\\p{DI}\\p{Zl}\\p{Zp}\\p{Noncharacter_Code_Point}\\uFFF9-\\uFFFB]";
const pattern = new RegExp(`(${KEPT})|${HIDDEN}`, "gu");
const PRINTABLE = /^[\x20-\x7e]*$/;

/** One line that can be printed: at most 500 characters, line ends and tabs are replaced like all other controls. */
export function visible(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return replaceHidden(short.trim());
}

/** The lines of a text, each fit to be printed; complete. A tab becomes two spaces. */
export function visibleLines(text: string): readonly string[] {
  return text
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => replaceHidden(line.replaceAll("\t", "  ")).trimEnd());
}

function replaceHidden(text: string): string {
  if (PRINTABLE.test(text)) return text;
  return text
    .toWellFormed()
    .replace(pattern, (hidden, kept: string | undefined) => kept ?? pictureOf(hidden));
}

/** ESC is shown as ␛; what has no picture by its number. */
function pictureOf(hidden: string): string {
  const code = hidden.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "␡";
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}
