import { type PiiSpan, spanAt } from "./types.ts";

/** Initials and particles would hit innocent words. */
const MIN_PART = 3;
/** What compromise gets at a time: it is slow in texts without an end. */
const PIECE = 20_000;

/** Names of people that a small language model of English sees. */
export async function findNames(text: string): Promise<readonly PiiSpan[]> {
  const { default: nlp } = await import("compromise");
  return pieces(text).flatMap(({ at, piece }) => {
    const found: readonly { readonly offset?: { readonly start: number; readonly length: number } }[] = nlp(
      piece,
    )
      .people()
      .json({ offset: true });
    return found.flatMap(({ offset }) => {
      if (offset === undefined) return [];
      const raw = piece.slice(offset.start, offset.start + offset.length);
      const name = raw.replace(/^[^\p{L}\p{N}]+/u, "").replace(/(?:['’]s)?[^\p{L}\p{N}]*$/u, "");
      const start = at + offset.start + raw.indexOf(name);
      return name === ""
        ? []
        : [spanAt(text, { kind: "PERSON", start, end: start + name.length, score: 0.6 })];
    });
  });
}

/** Names that are known, such as the parties': whole, and each part of them. */
export function findKnownNames(text: string, names: readonly string[]): readonly PiiSpan[] {
  const parts = names.flatMap((name) => [name, ...name.split(/[\s,]+/)]);
  const known = [...new Set(parts.map((part) => part.trim()))].filter(
    (part) => /\p{Lu}/u.test(part) && part.length >= MIN_PART,
  );
  return known.flatMap((name) => {
    const literal = name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, "gu");
    return [...text.matchAll(pattern)].map(({ index }) =>
      spanAt(text, { kind: "PERSON", start: index, end: index + name.length, score: 0.9 }),
    );
  });
}

function pieces(text: string): readonly { readonly at: number; readonly piece: string }[] {
  const list: { readonly at: number; readonly piece: string }[] = [];
  for (let at = 0; at < text.length; ) {
    const limit = at + PIECE;
    const space = limit >= text.length ? text.length : text.lastIndexOf(" ", limit) + 1;
    const end = space > at ? space : limit;
    list.push({ at, piece: text.slice(at, end) });
    at = end;
  }
  return list;
}
