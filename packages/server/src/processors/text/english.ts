import type { WinkMethods } from "wink-nlp";

let loaded: Promise<WinkMethods> | undefined;

/** The English language model; loaded once, when it is first needed. */
export function english(): Promise<WinkMethods> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<WinkMethods> {
  const [{ default: winkNLP }, { default: model }] = await Promise.all([
    import("wink-nlp"),
    import("wink-eng-lite-web-model"),
  ]);
  return winkNLP(model);
}

/** How a text sounds, from -1 (bad) to 1 (good); 0 for one without any feeling. */
export function sentimentOf(nlp: WinkMethods, text: string): number {
  const score = Number(nlp.readDoc(text).out(nlp.its.sentiment));
  return Math.max(-1, Math.min(1, Number.isFinite(score) ? score : 0));
}
