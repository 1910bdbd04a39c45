import { type PiiSpan, spanAt } from "./types.ts";

const email = /(?<![\w.+%-])[\w.+%-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/gu;
/** As people spell it out: "ann dot lee at example dot com". */
const spokenEmail =
  /(?<![\w])[\w+%-]{1,40}(?: (?:dot|period|underscore|dash|hyphen) [\w+%-]{1,40}){0,5} at [a-z0-9-]{1,40}(?: dot [a-z0-9-]{1,40}){0,4} dot [a-z]{2,12}\b/gi;
const url = /\bhttps?:\/\/[^\s<>"'`]{1,2000}|\bwww\.[^\s<>"'`]{1,2000}/gi;
const address4 = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d]|\.\d)/g;
const address6 =
  /(?<![\p{L}\p{N}:.])[\da-f]{0,4}(?::[\da-f]{0,4}){2,7}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![\p{L}\p{N}:])/giu;

/** E-mail addresses, also spelt out ones, and addresses in the web and of machines. */
export function findAddresses(text: string): readonly PiiSpan[] {
  return [
    ...all(text, { pattern: email, kind: "EMAIL_ADDRESS", score: 1 }),
    ...all(text, { pattern: spokenEmail, kind: "EMAIL_ADDRESS", score: 0.8 }),
    ...all(text, { pattern: url, kind: "URL", score: 0.7 }).map((span) => withoutEnd(text, span)),
    ...all(text, { pattern: address4, kind: "IP_ADDRESS", score: 0.8 }),
    ...all(text, { pattern: address6, kind: "IP_ADDRESS", score: 0.8 }).filter(({ text: found }) =>
      isAddress6(found),
    ),
  ];
}

/** Telephone numbers, written as anybody writes them. @param country whose numbers have no country code, "US" say */
export async function findPhones(text: string, country: string): Promise<readonly PiiSpan[]> {
  if (!/\d[^\p{L}]{0,40}\d/u.test(text)) return [];
  const { findPhoneNumbersInText, isSupportedCountry } = await import("libphonenumber-js/max");
  const defaultCountry = isSupportedCountry(country) ? country : "US";
  const found = findPhoneNumbersInText(text, { defaultCountry }).map(({ startsAt, endsAt, number }) =>
    spanAt(text, {
      kind: "PHONE_NUMBER",
      start: startsAt,
      end: endsAt,
      score: number.isValid() ? 0.75 : 0.5,
    }),
  );
  return [...found, ...all(text, { pattern: american, kind: "PHONE_NUMBER", score: 0.6 })];
}

/** Also numbers that nobody has, such as those with 555, and local ones: the library knows only what is in use. */
const american =
  /(?<![\d.-])(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\d-])|(?<![\d.-])\d{3}-\d{4}(?![\d-])/g;

function all(
  text: string,
  { pattern, kind, score }: { readonly pattern: RegExp; readonly kind: string; readonly score: number },
): readonly PiiSpan[] {
  return [...text.matchAll(pattern)].map(({ index, 0: found }) =>
    spanAt(text, { kind, start: index, end: index + found.length, score }),
  );
}

/** A full stop or bracket after an address belongs to the sentence. */
function withoutEnd(text: string, span: PiiSpan): PiiSpan {
  const kept = span.text.replace(/[.,;:!?)\]}]{1,10}$/, "");
  return spanAt(text, { ...span, end: span.start + kept.length });
}

function isAddress6(text: string): boolean {
  // The time "10:20:30" is none.
  const colons = text.split(":").length - 1;
  return (colons === 7 || text.includes("::")) && text.length > 2 && URL.canParse(`http://[${text}]`);
}
