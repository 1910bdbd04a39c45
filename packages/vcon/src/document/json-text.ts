/* Walking over JSON text without parsing it. The text is taken to be valid, except by `exceedsDepth`. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

/** The index of the quote that closes the string opened at `open`, or -1. */
function closingQuote(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let first = at;
    while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((at - first) % 2 === 0) return at;
  }
  return -1;
}

function opens(code: number): boolean {
  return code === 0x7b || code === 0x5b;
}

function closes(code: number): boolean {
  return code === 0x7d || code === 0x5d;
}

/**
 * Does the text nest arrays and objects deeper than `maxDepth`? One pass, no recursion, long strings are skipped at
 * memory speed: safe to ask of anything before `JSON.parse` sees it.
 */
export function exceedsDepth(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = closingQuote(text, at);
      if (at < 0) return false;
    } else if (opens(code)) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (closes(code)) depth -= 1;
  }
  return false;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

/** The index just after the value that starts at `from`. */
function skipValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return closingQuote(text, from) + 1;
  let at = from;
  if (!opens(first)) {
    // A number or a word ends at whitespace, a comma or a closing bracket.
    while (at < text.length && text.charCodeAt(at) > 0x20 && !/[,\]}]/.test(text.charAt(at))) at += 1;
    return at;
  }
  let depth = 0;
  do {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = closingQuote(text, at);
    else if (opens(code)) depth += 1;
    else if (closes(code)) depth -= 1;
    at += 1;
  } while (depth > 0 && at < text.length);
  return at;
}

/** A stretch of text: from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One element of an array or one member of an object, with the whitespace around it. */
export interface Item {
  /** Whitespace before, after the comma or bracket. */
  readonly lead: string;
  /** Member name and its text with the colon, up to the value; undefined and empty for an array element. */
  readonly name: string | undefined;
  readonly label: string;
  readonly value: Span;
  /** Whitespace after, before the next comma or bracket. */
  readonly trail: string;
}

/** Where the one value of a JSON text stands. */
export function valueSpan(text: string): Span {
  return { start: skipSpace(text, 0), end: text.trimEnd().length };
}

/** The items of the array or object at `span`, in the order of the text, repeated member names included. */
export function itemsOf(text: string, span: Span): readonly Item[] {
  const named = text.charAt(span.start) === "{";
  const items: Item[] = [];
  let at = span.start + 1;
  while (at < span.end) {
    const begin = skipSpace(text, at);
    if (closes(text.charCodeAt(begin))) break;
    let name: string | undefined;
    let valueStart = begin;
    if (named) {
      const nameEnd = closingQuote(text, begin) + 1;
      name = String(JSON.parse(text.slice(begin, nameEnd)));
      valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1);
    }
    const valueEnd = skipValue(text, valueStart);
    const next = skipSpace(text, valueEnd);
    items.push({
      lead: text.slice(at, begin),
      name,
      label: text.slice(begin, valueStart),
      value: { start: valueStart, end: valueEnd },
      trail: text.slice(valueEnd, next),
    });
    at = next + 1;
  }
  return items;
}

/**
 * The brackets, strings, numbers and words of a JSON text as they are spelled, in one pass however deep it nests. In an
 * object every other one is a member's name.
 */
export function* tokensOf(text: string): Generator<string, void> {
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code === COMMA || code === COLON) {
      at += 1;
      continue;
    }
    const end = opens(code) || closes(code) ? at + 1 : skipValue(text, at);
    yield text.slice(at, end);
    at = end;
  }
}
