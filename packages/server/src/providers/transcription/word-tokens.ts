import { mean } from "./read-answer.ts";
import type { NormalWord } from "./transcriber.ts";

/** Scripts that are written without spaces between words. */
const unspaced =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * Words from the tokens of segments, as Whisper's own programs give them: a word begins with a blank, and what has none
 * (whisper.cpp gives parts of words) belongs to the word before it. Without any blanks, each is a word.
 */
export function joinTokens(segments: readonly (readonly NormalWord[])[]): readonly NormalWord[] {
  const blanks = segments.some((tokens) => tokens.some(({ text }) => /^\s/.test(text)));
  return segments.flatMap((tokens) => {
    const words: NormalWord[][] = [];
    for (const token of tokens) {
      const word = words.at(-1);
      const begins = !blanks || /^\s/.test(token.text) || unspaced.test(token.text);
      if (word === undefined || begins) words.push([token]);
      else word.push(token);
    }
    return words.flatMap(joined);
  });
}

function joined(tokens: readonly NormalWord[]): readonly NormalWord[] {
  const [first] = tokens;
  if (first === undefined) return [];
  const text = tokens
    .map((token) => token.text)
    .join("")
    .trim();
  const confidence = mean(tokens.map((token) => token.confidence));
  return [{ ...first, text, end: tokens.at(-1)?.end ?? first.end, confidence }];
}
