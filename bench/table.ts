/**
 * Writes the table of docs/performance.md from bench/results/latest.json, between its two markers:
 * `node bench/table.ts`. With `--check` it only tells whether the table is up to date.
 */
import { readFile, writeFile } from "node:fs/promises";
import { cellsOf, disturbances, heads, type Report } from "./report.ts";

const results = new URL("results/latest.json", import.meta.url);
const page = new URL("../docs/performance.md", import.meta.url);
const begin = "<!-- table: begin; written by bench/table.ts -->";
const end = "<!-- table: end -->";

const report: unknown = JSON.parse(await readFile(results, "utf8"));
if (!isReport(report)) throw new Error("bench/results/latest.json is not a report of the benchmark");
const text = await readFile(page, "utf8");
const [from, to] = [text.indexOf(begin), text.indexOf(end)];
if (from < 0 || to < from) throw new Error("docs/performance.md has lost its markers");
const next = `${text.slice(0, from)}${begin}\n\n${section(report)}\n\n${text.slice(to)}`;
if (process.argv.includes("--check")) {
  if (next !== text) throw new Error("docs/performance.md is out of date: run node bench/table.ts");
} else {
  await writeFile(page, next);
}

function section({ date, machine, rows }: Report): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    `Measured on ${date.slice(0, 10)}: ${machine.cores} cores (${machine.cpu}), ${machine.memory_gb} GB, ${machine.filesystem}, ` +
      `Node.js ${machine.node}, PostgreSQL ${machine.postgresql}.`,
    "",
    line(heads),
    line(heads.map(() => "---")),
    ...rows.map((row) => line(cellsOf(row))),
    ...disturbances(rows).map((text) => `\n${text}`),
  ].join("\n");
}

/** The file is written by bench/main.ts; this tells it from another file, not from a forged one. */
function isReport(value: unknown): value is Report {
  return (
    typeof value === "object" &&
    value !== null &&
    "date" in value &&
    typeof value.date === "string" &&
    "machine" in value &&
    "rows" in value &&
    Array.isArray(value.rows)
  );
}
