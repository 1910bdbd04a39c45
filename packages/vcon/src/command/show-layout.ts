import type { Styles } from "./show-style.ts";
import { clip, padEnd, widthOf, wrap } from "./show-width.ts";

/** One entry of a list: cells that stand in columns while there is room, facts that follow, lines below. */
export interface Row {
  /** The first cell is the entry's number. */
  readonly cells: readonly string[];
  readonly facts: readonly string[];
  readonly below?: string;
}

const MARGIN = "  ";
const GAP = "  ";
const DOT = " · ";
/** What the facts need at least, beside the columns: in a narrower window columns join them. More where one is longer. */
const FACTS_ROOM = 24;
const MOST_FACTS_ROOM = 46;
/** A wider cell is a fact, and its whole column with it: nothing is cut off. */
const WIDEST_CELL = 36;

/** The rows of one list, under each other. The text must be `visible`. */
export function layOut(rows: readonly Row[], { width, styles }: { width: number; styles: Styles }): string[] {
  const widths = columnWidths(rows);
  const columns = columnsBeside(rows, widths, width - MARGIN.length);
  const numberRoom = MARGIN.length + (widths[0] ?? 0) + GAP.length;
  const hanging = " ".repeat(numberRoom);
  return rows.flatMap(({ cells, facts, below }) => {
    const fixed = cells
      .slice(0, columns)
      .map((cell, index) => column(cell, { index, width: widths[index] ?? 0, styles }));
    const head = MARGIN + fixed.join("");
    const loose = [...cells.slice(columns).map((cell) => cell.trim()), ...facts].filter(
      (fact) => fact !== "",
    );
    const start = MARGIN.length + widths.slice(0, columns).reduce((sum, each) => sum + columnRoom(each), 0);
    const flowed = flow(loose, width - start);
    const lines = [
      (head + dimmed(flowed[0] ?? "", styles)).trimEnd(),
      ...flowed.slice(1).map((line) => " ".repeat(start) + dimmed(line, styles)),
    ];
    return below === undefined || below === ""
      ? lines
      : [...lines, hanging + styles.dim(clip(below, width - numberRoom))];
  });
}

function columnWidths(rows: readonly Row[]): readonly number[] {
  const count = rows.reduce((most, row) => Math.max(most, row.cells.length), 0);
  return Array.from({ length: count }, (_, index) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row.cells[index] ?? "")), 0),
  );
}

/** A column in which nobody has anything takes no room. */
function columnRoom(width: number): number {
  return width === 0 ? 0 : width + GAP.length;
}

function columnsBeside(rows: readonly Row[], widths: readonly number[], room: number): number {
  const longest = rows.flatMap(({ facts }) => facts).reduce((most, fact) => Math.max(most, widthOf(fact)), 0);
  const withoutFacts = longest === 0 && columnsThatFit(widths, room) === widths.length;
  const factsRoom = Math.min(Math.max(longest, FACTS_ROOM), MOST_FACTS_ROOM);
  return withoutFacts ? widths.length : columnsThatFit(widths, room - factsRoom);
}

function columnsThatFit(widths: readonly number[], room: number): number {
  let used = 0;
  const tooMany = widths.findIndex((width) => {
    used += columnRoom(width);
    return used > room || width > WIDEST_CELL;
  });
  return tooMany < 0 ? widths.length : Math.max(1, tooMany);
}

function column(
  cell: string,
  { index, width, styles }: { readonly index: number; readonly width: number; readonly styles: Styles },
): string {
  if (width === 0) return "";
  const text = index === 0 ? cell.padStart(width) : padEnd(cell, width);
  return (index === 0 ? styles.dim(text) : text) + GAP;
}

function dimmed(line: string, styles: Styles): string {
  return line.replaceAll(DOT, styles.dim(DOT));
}

/** Facts with dots between them; a line ends between two facts where it can. */
export function flow(facts: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const fact of facts) {
    const longer = line === "" ? fact : line + DOT + fact;
    if (line !== "" && widthOf(longer) > width) {
      lines.push(line);
      line = fact;
    } else line = longer;
    const broken = wrap(line, width);
    lines.push(...broken.slice(0, -1));
    line = broken.at(-1) ?? "";
  }
  return line === "" ? lines : [...lines, line];
}

/** Names and values in two columns; a value goes on below itself. Values that are undefined leave no trace. */
export function pairs(
  entries: readonly (readonly [name: string, value: string | undefined])[],
  { width, styles }: { readonly width: number; readonly styles: Styles },
): string[] {
  const known = entries.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
  const room = known.reduce((widest, { name }) => Math.max(widest, name.length), 0) + GAP.length;
  return known.flatMap(({ name, value }) => {
    // What somebody may want to copy stays in one piece.
    const onItsOwn =
      widthOf(value) > width - room && widthOf(value) <= width - GAP.length && !/\s/.test(value);
    if (onItsOwn) return [styles.dim(name), GAP + value];
    const lines = wrap(value, width - room);
    return lines.map((line, index) => styles.dim((index === 0 ? name : "").padEnd(room)) + line);
  });
}
