import { Type } from "typebox";
import { VconductorError } from "../errors.ts";

/** The option `input_dialogs` of the reference's processors; give it a default. */
export const inputDialogs = Type.Union([Type.String(), Type.Array(Type.Integer())], {
  title: "dialogs",
  description:
    'Which dialogs: empty, ":" or "0:" for all, "2" for the one of index 2, "1:3" or "0:10:2" as slices in Python, or a ' +
    "list of indices.",
});

/**
 * The indices of the dialogs that a selector means, each once, in its order.
 *
 * @param count how many dialogs there are
 * @throws invalid_options it is no selector, or a list names an index that is not there
 */
export function selectDialogs(selector: string | readonly number[], count: number): readonly number[] {
  // Without dialogs there is nothing to do, whatever is selected.
  if (count === 0) return [];
  if (typeof selector !== "string") return [...new Set(selector.map((index) => checked(index, count)))];
  const text = selector.trim();
  if (text === "") return range({ start: 0, stop: count, step: 1 });
  const parts = text.split(":");
  if (parts.length > 3 || !parts.every((part) => /^\s*(?:-?\d+)?\s*$/.test(part))) {
    const form = 'empty, "2", "1:3", "0:10:2" or a list of indices';
    throw new VconductorError("invalid_options", `input_dialogs: ${JSON.stringify(selector)} is not ${form}`);
  }
  const [first, second, third] = parts.map((part) => (part.trim() === "" ? undefined : Number(part)));
  if (parts.length === 1 && first !== undefined) return first >= 0 && first < count ? [first] : [];
  return slice({ start: first, stop: second, step: third ?? 1 }, count);
}

function checked(index: number, count: number): number {
  if (index >= 0 && index < count) return index;
  const text = `input_dialogs: there is no dialog ${index}; the dialogs are 0 to ${count - 1}`;
  throw new VconductorError("invalid_options", text);
}

interface Slice {
  readonly start: number | undefined;
  readonly stop: number | undefined;
  readonly step: number;
}

/** As Python's `range(count)[start:stop:step]`. */
function slice({ start, stop, step }: Slice, count: number): readonly number[] {
  if (step === 0)
    throw new VconductorError("invalid_options", "input_dialogs: the step of a slice cannot be 0");
  const [lowest, highest] = step > 0 ? [0, count] : [-1, count - 1];
  const place = (given: number | undefined, usual: number) => {
    if (given === undefined) return usual;
    return Math.min(highest, Math.max(lowest, given < 0 ? given + count : given));
  };
  return step > 0
    ? range({ start: place(start, 0), stop: place(stop, count), step })
    : range({ start: place(start, count - 1), stop: place(stop, -1), step });
}

function range({
  start,
  stop,
  step,
}: {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
}) {
  const indices: number[] = [];
  for (let index = start; step > 0 ? index < stop : index > stop; index += step) indices.push(index);
  return indices;
}
