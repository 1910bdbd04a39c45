/** The languages that Whisper knows: it answers with their English names. */
const whisperLanguages =
  "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is " +
  "it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk " +
  "sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh";

/** Names of Whisper's that differ from those of Unicode's data. */
const otherNames: Readonly<Record<string, string>> = {
  "haitian creole": "ht",
  javanese: "jv",
  mandarin: "zh",
  myanmar: "my",
  nynorsk: "nn",
  pashto: "ps",
  punjabi: "pa",
  tagalog: "tl",
};

let byName: ReadonlyMap<string, string> | undefined;

/** The BCP 47 tag of a language: "en" for "english", and codes as they are; undefined when it is neither. */
export function languageCode(language: string): string | undefined {
  const name = language.trim().toLowerCase();
  byName ??= namesOf(whisperLanguages.split(" "));
  const code = otherNames[name] ?? byName.get(name);
  if (code !== undefined) return code;
  return /^[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*$/.test(name) ? language.trim().replaceAll("_", "-") : undefined;
}

function namesOf(codes: readonly string[]): ReadonlyMap<string, string> {
  const names = new Intl.DisplayNames(["en"], { type: "language" });
  return new Map(codes.map((code) => [(names.of(code) ?? code).toLowerCase(), code]));
}
