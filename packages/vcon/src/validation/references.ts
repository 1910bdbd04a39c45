import { isArray } from "../document/json.ts";
import type { JsonValue } from "../document/types.ts";
import { isIndex } from "./member-types.ts";
import { about, type Check, must, type Path, type Rule, type Whole } from "./rule.ts";

type ListName = "parties" | "dialog" | "attachments";

/** Every index in the named members points at something. Lists of indices and lists within them count too. */
export function indexRange(lists: Partial<Readonly<Record<ListName, readonly string[]>>>): Rule {
  const targets = new Map<string, ListName>([
    ...(lists.parties ?? []).map((name) => [name, "parties"] as const),
    ...(lists.dialog ?? []).map((name) => [name, "dialog"] as const),
    ...(lists.attachments ?? []).map((name) => [name, "attachments"] as const),
  ]);
  const check: Check = ({ object, names, whole }, report) => {
    for (const name of names) {
      const list = targets.get(name);
      if (list === undefined) continue;
      const value = object[name] ?? null;
      const count = countOf(whole, list);
      // Nearly always all is well.
      if (isWithin(value, count) || (isArray(value) && value.every((inner) => isWithin(inner, count))))
        continue;
      for (const { index, at } of beyond(count, { value, at: [name] })) {
        if (!report(at, `${index} points nowhere; ${whatIsThere(list, count)}`, index)) return;
      }
    }
  };
  return must("index-range", about([...targets.keys()], check));
}

function isWithin(value: JsonValue, count: number): boolean {
  return isIndex(value) && value < count;
}

interface Place {
  readonly value: JsonValue;
  readonly at: Path;
}

/** The indices that are too large. Two levels of lists: deeper ones are no indices, and other rules say so. */
function* beyond(
  count: number,
  { value, at }: Place,
): Generator<{ readonly index: number; readonly at: Path }, void> {
  if (isIndex(value)) {
    if (value >= count) yield { index: value, at };
    return;
  }
  if (!isArray(value) || at.length > 2) return;
  for (const [place, inner] of value.entries()) {
    if (!isIndex(inner) || inner >= count) yield* beyond(count, { value: inner, at: [...at, place] });
  }
}

function countOf({ parties, dialogs, attachments }: Whole, list: ListName): number {
  return list === "parties" ? parties : list === "dialog" ? dialogs.length : attachments;
}

function whatIsThere(list: ListName, count: number): string {
  if (count === 0) return `there are no ${list}`;
  return count === 1 ? `there is only ${list} 0` : `there are ${list} 0 to ${count - 1}`;
}
