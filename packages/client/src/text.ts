/**
 * What the server takes of a text: no NUL, no half of a surrogate pair, not too long. Of an error it is the message.
 * Never throws, whatever it is given.
 */
export function toText(value: unknown, mostCharacters: number): string {
  // Cut first: it may cut a pair.
  return textOf(value).replaceAll("\u0000", "").slice(0, mostCharacters).toWellFormed();
}

function textOf(value: unknown): string {
  try {
    return String(value instanceof Error ? value.message : value);
  } catch {
    return "something that is no text";
  }
}
