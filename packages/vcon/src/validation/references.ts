import { isArray, member } from "../document/json.ts";
import type { JsonValue } from "../document/types.ts";
import { isIndex } from "./member-types.ts";
import { must, type Path, type Rule, type Whole } from "./rule.ts";

type ListName = "parties" | "dialog" | "attachments";

/** Every index in the named members points at something. Lists of indices and lists within them count too. */
export function indexRange(names: Partial<Readonly<Record<ListName, readonly string[]>>>): Rule {
  const targets: readonly (readonly [string, ListName])[] = [
    ...(names.parties ?? []).map((name) => [name, "parties"] as const),
    ...(names.dialog ?? []).map((name) => [name, "dialog"] as const),
    ...(names.attachments ?? []).map((name) => [name, "attachments"] as const),
  ];
  return must("index-range", ({ object, whole }, report) => {
    for (const [name, list] of targets) {
      const value = member(object, name);
      if (value === undefined) continue;
      const count = countOf(whole, list);
      for (const { index, at } of beyond(count, { value, at: [name] })) {
        report(at, `${index} points nowhere; ${whatIsThere(list, count)}`, index);
      }
    }
  });
}

interface Place {
  readonly value: JsonValue;
  readonly at: Path;
}

const none: readonly { readonly index: number; readonly at: Path }[] = [];

/** The indices that are too large. Two levels of lists: deeper ones are no indices, and other rules say so. */
function beyond(count: number, { value, at }: Place): typeof none {
  if (isIndex(value)) return value < count ? none : [{ index: value, at }];
  if (!isArray(value) || at.length > 2) return none;
  // Nearly always all is well, and then there is nothing to make.
  if (value.every((inner) => isIndex(inner) && inner < count)) return none;
  return value.flatMap((inner, place) => beyond(count, { value: inner, at: [...at, place] }));
}

function countOf({ parties, dialogs, attachments }: Whole, list: ListName): number {
  return list === "parties" ? parties : list === "dialog" ? dialogs.length : attachments;
}

function whatIsThere(list: ListName, count: number): string {
  if (count === 0) return `there are no ${list}`;
  return count === 1 ? `there is only ${list} 0` : `there are ${list} 0 to ${count - 1}`;
}
