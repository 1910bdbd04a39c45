import type { ItemToken, WinkMethods } from "wink-nlp";

export interface Keyword {
  /** One word or several, in lower case. */
  readonly keyword: string;
  /** Its weight among the keywords of the text, the first has 1. */
  readonly score: number;
  /** How often it is there. */
  readonly count: number;
}

const telling: ReadonlySet<string> = new Set(["NOUN", "PROPN", "ADJ"]);
const nouns: ReadonlySet<string> = new Set(["NOUN", "PROPN"]);

/**
 * What an English text is about: phrases of nouns and adjectives, ranked as RAKE does (Rose et al. 2010): a word is worth
 * what it stands beside, in proportion to how often it is there; a phrase is worth its words, times how often it is
 * there.
 */
export function rankKeywords(nlp: WinkMethods, text: string): readonly Keyword[] {
  const phrases = phrasesOf(nlp, text);
  const frequency = new Map<string, number>();
  const degree = new Map<string, number>();
  for (const phrase of phrases) {
    for (const word of phrase) {
      frequency.set(word, (frequency.get(word) ?? 0) + 1);
      degree.set(word, (degree.get(word) ?? 0) + phrase.length);
    }
  }
  const counts = new Map<string, number>();
  for (const phrase of phrases) counts.set(phrase.join(" "), (counts.get(phrase.join(" ")) ?? 0) + 1);
  const ranked = [...counts]
    .map(([keyword, count]) => {
      const worth = keyword.split(" ").map((word) => (degree.get(word) ?? 0) / (frequency.get(word) ?? 1));
      return { keyword, count, worth: count * worth.reduce((sum, value) => sum + value, 0) };
    })
    .toSorted((a, b) => b.worth - a.worth || a.keyword.localeCompare(b.keyword, "en"));
  const most = ranked[0]?.worth ?? 1;
  return ranked.map(({ keyword, count, worth }) => ({
    keyword,
    score: Math.round((worth / most) * 1000) / 1000,
    count,
  }));
}

/** Longer ones are lists or mistakes. */
const LONGEST = 4;

/** Runs of nouns and adjectives, with a noun among them. */
function phrasesOf(nlp: WinkMethods, text: string): readonly (readonly string[])[] {
  const { its } = nlp;
  const phrases: string[][] = [];
  let current: { readonly word: string; readonly pos: string }[] = [];
  const end = () => {
    const words = current.map(({ word }) => word);
    if (words.length <= LONGEST && current.some(({ pos }) => nouns.has(pos))) phrases.push(words);
    current = [];
  };
  nlp
    .readDoc(text)
    .tokens()
    .each((token: ItemToken) => {
      const pos = String(token.out(its.pos));
      const word = String(token.out(its.normal));
      const tells = telling.has(pos) && token.out(its.type) === "word" && word.length > 2;
      if (tells && !token.out(its.stopWordFlag)) current.push({ word, pos });
      else end();
    });
  end();
  return phrases;
}
