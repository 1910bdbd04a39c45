/** Kinds of personal data that the built-in detector knows; named as Presidio names them, where it has a name. */
export const piiKinds = [
  "EMAIL_ADDRESS",
  "PHONE_NUMBER",
  "CREDIT_CARD",
  "IBAN_CODE",
  "US_SSN",
  "US_ITIN",
  "UK_NINO",
  "CA_SIN",
  "ACCOUNT_NUMBER",
  "IP_ADDRESS",
  "URL",
  "DATE_OF_BIRTH",
  "PERSON",
] as const;
export type PiiKind = (typeof piiKinds)[number];

/** A stretch of text that is personal data. */
export interface PiiSpan {
  /** One of `piiKinds`, or what another detector calls it. */
  readonly kind: string;
  /** In UTF-16 units, as `slice` counts; `end` is the first that does not belong. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** How sure it is, 0 to 1. */
  readonly score: number;
}

/** Finds personal data in a text; spans come in the order of the text and do not overlap. */
export type PiiDetector = (text: string) => Promise<readonly PiiSpan[]>;

/** What a rule found: where, and how sure it is. */
export function spanAt(text: string, { kind, start, end, score }: Omit<PiiSpan, "text">): PiiSpan {
  return { kind, start, end, text: text.slice(start, end), score };
}
