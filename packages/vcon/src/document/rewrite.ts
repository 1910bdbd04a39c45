import { definedMembers, equalJson, isArray, isObject, member } from "./json.ts";
import { type Item, itemsOf, type Span, valueSpan } from "./json-text.ts";
import type { JsonObject, JsonValue } from "./types.ts";

/**
 * Writes a changed document over the text it was read from, touching only what changed.
 *
 * What is equal to the original keeps its exact source text: the spelling of numbers (`1.0`, twenty digits),
 * whitespace, escapes, repeated members, the order of members. A changed value is written with `JSON.stringify`.
 * Existing members keep their order, new ones come last, members that are gone from `changed` vanish; the very value of
 * one that is gone keeps its text under a new name, so that a rename costs no digits.
 *
 * @param text the JSON text
 * @param original `JSON.parse(text)`
 * @param changed a changed copy of it; a member that is `undefined` counts as absent
 */
export function rewrite({
  text,
  original,
  changed,
}: {
  readonly text: string;
  readonly original: JsonValue;
  readonly changed: JsonValue;
}): string {
  const span = valueSpan(text);
  return text.slice(0, span.start) + changedValue(text, span, { original, changed }) + text.slice(span.end);
}

interface Change {
  readonly original: JsonValue;
  readonly changed: JsonValue;
}

/** The new text of a value. Where parts of it are equal it comes out as it was, so it need not differ. */
function changedValue(text: string, span: Span, { original, changed }: Change): string {
  if (isObject(original) && isObject(changed)) return changedObject(text, span, { original, changed });
  if (isArray(original) && isArray(changed)) return changedArray(text, span, { original, changed });
  return original === changed ? text.slice(span.start, span.end) : JSON.stringify(changed);
}

function changedObject(
  text: string,
  span: Span,
  { original, changed }: { readonly original: JsonObject; readonly changed: JsonObject },
): string {
  const items = itemsOf(text, span);
  const lastOf = new Map(items.map((item, index) => [item.name, index]));
  const pieces: Piece[] = [];
  /** The text of values that a rename may bring back. The last of a repeated member wins, as it does in `original`. */
  const gone = new Map<JsonValue, string>();
  for (const [index, { name = "", label, value }] of items.entries()) {
    const before = member(original, name);
    const after = member(changed, name);
    if (before === undefined) continue;
    if (after === undefined) {
      gone.set(before, text.slice(value.start, value.end));
    } else if (equalJson(before, after)) {
      pieces.push({ ...spacing(items, index), core: label + text.slice(value.start, value.end) });
    } else if (lastOf.get(name) === index) {
      // Of a repeated member the last one counts; once it changes, the others would only mislead.
      const core = label + changedValue(text, value, { original: before, changed: after });
      pieces.push({ ...spacing(items, index), core });
    }
  }
  for (const name of definedMembers(changed)) {
    if (lastOf.has(name)) continue;
    const value = member(changed, name) ?? null;
    const core = `${JSON.stringify(name)}${colon(items.at(-1)?.label)}${gone.get(value) ?? JSON.stringify(value)}`;
    pieces.push({ ...spacing(items, items.length), core });
  }
  return `{${join(pieces, items)}}`;
}

/** The colon with the spacing of a neighbour's label, so that a pretty document stays pretty. */
function colon(label: string | undefined): string {
  return label?.endsWith(": ") ? ": " : ":";
}

function changedArray(
  text: string,
  span: Span,
  { original, changed }: { readonly original: readonly JsonValue[]; readonly changed: readonly JsonValue[] },
): string {
  const items = itemsOf(text, span);
  const shorter = Math.min(original.length, changed.length);
  // Elements that stayed are found from both ends, so that an insertion or removal leaves its neighbours alone.
  let head = 0;
  while (head < shorter && equalJson(original[head], changed[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && equalJson(original.at(-1 - tail), changed.at(-1 - tail))) tail += 1;

  const pieces = changed.map((after, index): Piece => {
    const inTail = index >= changed.length - tail;
    const from = inTail ? index - changed.length + original.length : index;
    const item = inTail || from < original.length - tail ? items[from] : undefined;
    const before = original[from];
    if (item === undefined || before === undefined) {
      return { ...spacing(items, items.length), core: JSON.stringify(after) ?? "null" };
    }
    const same = inTail || index < head || equalJson(before, after);
    const core = same
      ? text.slice(item.value.start, item.value.end)
      : changedValue(text, item.value, { original: before, changed: after });
    return { ...spacing(items, from), core };
  });
  return `[${join(pieces, items)}]`;
}

/** A member or element as it will stand, with the whitespace around it. */
interface Piece {
  readonly lead: string;
  readonly core: string;
  readonly trail: string;
}

/**
 * The pieces with commas. Whitespace next to a bracket belongs to the bracket, not to the item that happens to be
 * there: it stays, and an item that comes away from it takes its neighbours' spacing.
 */
function join(pieces: readonly Piece[], items: readonly Item[]): string {
  const first = items[0];
  const last = items.at(-1);
  const texts = pieces.map(({ lead, core, trail }, index) => {
    const before = index === 0 ? (first?.lead ?? "") : lead;
    return before + core + (index === pieces.length - 1 ? (last?.trail ?? "") : trail);
  });
  return texts.join(",");
}

/** The whitespace around an item where it does not stand next to a bracket. */
function spacing(items: readonly Item[], index: number): Pick<Piece, "lead" | "trail"> {
  const item = items[index] ?? items.at(-1);
  const lead = index === 0 ? items[1]?.lead : item?.lead;
  return { lead: lead ?? item?.lead ?? "", trail: index < items.length - 1 ? (item?.trail ?? "") : "" };
}
