/*
 * How values are spelled. Every pattern needs one pass over the text: no part of it can match in two ways. Those that
 * the JSON Schema carries too must also compile with the flag "u", and may not rely on the flag "i".
 */

export const UUID = /^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$/;
export const UUID_VERSION_8 = /^.{14}8.{4}[89ABab]/;
export const HTTPS_URL = /^[Hh][Tt][Tt][Pp][Ss]:\/\/[^\s/?#]\S*$/;
export const MEDIATYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+*-]+\s*(?:;|$)/;
/** `<algorithm>-<unpadded base64url>`; the first hyphen separates. */
export const CONTENT_HASH = /^[a-z0-9]+-[A-Za-z0-9_-]+$/;
/** Without padding. A length of 4n + 1 is none either; that is for the caller to see. */
export const BASE64URL = /^[A-Za-z0-9_-]*$/;
export const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** RFC 3966, the prefix optional. */
export const TEL = /^(?:tel:)?\+?[0-9A-Fa-f*#().-]+(?:;\S*)?$/i;
export const URI = /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/;
export const MAIL = /[^\s@]@[^\s@]/;
export const DID = /^did:[a-z0-9]+:[\w.:%-]+(?:[/?#]\S*)?$/;
/** A JWS in compact form; the short form of a PASSporT leaves the first two parts empty. */
export const PASSPORT = /^[\w-]*\.[\w-]*\.[\w-]+(?:;\S*)?$/;
export const POSITION = /^([+-]?\d{1,3}(?:\.\d{1,20})?)\s+([+-]?\d{1,3}(?:\.\d{1,20})?)$/;
/** RFC 7989 writes it without hyphens. */
export const SESSION_UUID =
  /^[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}$/;

const DATE =
  /^\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Is it a date-time of RFC 3339, of a day and time that exist? A leap second (60) does. */
export function isDate(text: string): boolean {
  if (!DATE.test(text)) return false;
  return dayExists(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10)));
}

function dayExists(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  if (day <= 28) return true;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const longest = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day <= longest;
}

/** The profile of JMAP: upper-case letters, and no fraction that is zero or ends in zero digits only. */
export function isPlainDate(text: string): boolean {
  return !/[tz]|\.0+(?:Z|[+-])/.test(text);
}
