import type { Machine } from "./machine.ts";
import type { Plan } from "./plan.ts";
import type { RawSpeed } from "./raw.ts";
import type { Measured, Row } from "./row.ts";

/** A run of the benchmark, as it is written to a file. */
export interface Report {
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Plan & {
    readonly document_bytes: number;
    /** The server's settings, where they are not the default. */
    readonly server: Readonly<Record<string, string>>;
    readonly postgresql: Readonly<Record<string, string>>;
  };
  /** The raw speeds, in the order in which they were measured: one before each row, and one after the last. */
  readonly raw: readonly RawSpeed[];
  readonly rows: readonly RowReport[];
}

export interface RowReport extends Measured {
  readonly name: string;
  readonly title: string;
  readonly unit: Row["unit"];
  readonly floor: number;
  /** Whether the floor holds. */
  readonly met: boolean;
  /** In words; empty if there is none. */
  readonly aim: string;
  /** The raw speed beside it: the mean of before and after. Null where none belongs there. */
  readonly raw: { readonly what: "INSERTs" | "SELECTs"; readonly per_second: number } | null;
  /** The result as a share of the raw speed, or as a multiple of what is beside it. */
  readonly ratio: number | null;
}

/** @param around the raw speeds measured before and after the row */
export function reportRow(row: Row, measured: Measured, around: readonly RawSpeed[]): RowReport {
  const { name, title, unit, floor } = row;
  const met = isSpeed(unit) ? measured.result >= floor : measured.result <= floor;
  const raw = rawBeside(row, around);
  const { beside } = measured;
  const share = raw === null ? beside && measured.result / beside.ms : measured.result / raw.per_second;
  return {
    name,
    title,
    unit,
    floor,
    met,
    aim: describeAim(row),
    result: round(measured.result),
    raw,
    ratio: share === undefined ? null : Math.round(share * 1000) / 1000,
    rounds: measured.rounds.map(round),
    details: roundAll(measured.details),
    ...(beside === undefined ? {} : { beside: { ...beside, ms: round(beside.ms) } }),
    ...(measured.cpu === undefined ? {} : { cpu: roundAll(measured.cpu) }),
  };
}

function rawBeside({ raw }: Row, around: readonly RawSpeed[]): RowReport["raw"] {
  if (raw === undefined || around.length === 0) return null;
  const mean = around.reduce((total, speed) => total + speed[raw], 0) / around.length;
  return { what: raw === "insertsPerSecond" ? "INSERTs" : "SELECTs", per_second: round(mean) };
}

function describeAim({ aim, unit, raw }: Row): string {
  if (aim === undefined) return "";
  if ("result" in aim) return withUnit(aim.result, unit);
  return `${aim.ratio} of raw ${raw === "selectsPerSecond" ? "SELECTs" : "INSERTs"}`;
}

export const heads = ["", "result", "floor", "aim", "raw speed beside it", "ratio"] as const;

/** The cells of a row of the table. */
export function cellsOf(row: RowReport): readonly string[] {
  return [
    row.title,
    withUnit(row.result, row.unit) + (row.met ? "" : " (floor missed)"),
    isSpeed(row.unit)
      ? `at least ${withUnit(row.floor, row.unit)}`
      : `at most ${withUnit(row.floor, row.unit)}`,
    row.aim,
    besideText(row),
    row.ratio === null ? "" : row.ratio.toFixed(2),
  ];
}

function besideText({ raw, beside }: RowReport): string {
  if (raw !== null) return `${withUnit(raw.per_second, "/s")} ${raw.what}`;
  return beside === undefined ? "" : `${withUnit(beside.ms, "ms")} ${beside.what}`;
}

/** Lines of a table for a terminal. */
export function textTable(rows: readonly RowReport[]): readonly string[] {
  const cells = [heads, ...rows.map(cellsOf)];
  const widths = heads.map((_, column) => Math.max(...cells.map((line) => (line[column] ?? "").length)));
  return cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** More of a core than this, in percent, and other programs have been in the way. */
const mostOthers = 15;

/** Lines that tell which rows other programs have slowed down. */
export function disturbances(rows: readonly RowReport[]): readonly string[] {
  return rows.flatMap(({ name, cpu }) => {
    const others = (cpu?.others ?? 0) + (cpu?.stolen ?? 0);
    if (others <= mostOthers) return [];
    return [
      `${name}: other programs took ${Math.round(others)} % of a core meanwhile; on a quiet machine it is faster.`,
    ];
  });
}

/** Of speeds and shares more is better, of the rest less. */
function isSpeed(unit: Row["unit"]): boolean {
  return unit === "/s" || unit === "%";
}

function withUnit(value: number, unit: Row["unit"]): string {
  const text = value >= 100 ? Math.round(value).toLocaleString("en") : String(value);
  return unit === "/s" ? `${text}/s` : `${text} ${unit}`;
}

function roundAll(values: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, round(value)]));
}

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}
