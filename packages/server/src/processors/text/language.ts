/** A language that a text is in, and how sure that is. */
export interface DetectedLanguage {
  /** BCP 47, for example "en". */
  readonly language: string;
  /** 0 to 1. */
  readonly confidence: number;
}

/**
 * The language of a text; undefined when it is too short, or like none that is known.
 *
 * @param options.minimumCharacters letters and other characters that a text must have
 * @param options.languages the languages to choose among; empty: all that are known
 */
export async function detectLanguage(
  text: string,
  options: { readonly minimumCharacters: number; readonly languages?: readonly string[] },
): Promise<DetectedLanguage | undefined> {
  const { minimumCharacters, languages = [] } = options;
  if ([...text.trim()].length < minimumCharacters) return undefined;
  const { detectAll } = await import("tinyld");
  const found = detectAll(text, languages.length === 0 ? {} : { only: [...languages] });
  const [best, second] = found;
  if (best === undefined) return undefined;
  // Its figures are scores: how far the best is ahead of the next says more.
  const confidence = best.accuracy / (best.accuracy + (second?.accuracy ?? 0));
  return { language: best.lang, confidence: Math.round(confidence * 1000) / 1000 };
}
