import { type PiiSpan, spanAt } from "./types.ts";

const months =
  "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const day = "\\d{1,2}(?:st|nd|rd|th)?";
const date = new RegExp(
  [
    "\\b\\d{4}[-/.]\\d{1,2}[-/.]\\d{1,2}\\b",
    "\\b\\d{1,2}[-/.]\\d{1,2}[-/.](?:\\d{4}|\\d{2})\\b",
    `\\b${months}\\.? (?:the )?${day},? (?:of )?(?:19|20)\\d{2}\\b`,
    `\\b(?:the )?${day} (?:of )?${months}\\.?,? (?:19|20)\\d{2}\\b`,
  ].join("|"),
  "gi",
);
/** Shortly before it, in one sentence or the question before the answer. */
const birth =
  /\b(?:born|birth ?da(?:y|te)|date of birth|d\.?o\.?b\b|geboren|geburtsdatum|n[ée]e? le|nacid[oa])/i;
const REACH = 60;

/** Dates that somebody was born on. Other dates are not personal. */
export function findBirthDates(text: string): readonly PiiSpan[] {
  return [...text.matchAll(date)].flatMap(({ index, 0: found }) => {
    if (!birth.test(text.slice(Math.max(0, index - REACH), index))) return [];
    return [spanAt(text, { kind: "DATE_OF_BIRTH", start: index, end: index + found.length, score: 0.85 })];
  });
}
