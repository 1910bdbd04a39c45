/** Lines of a table for people: columns as wide as their widest cell, a rule below the heads. */
export function formatTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    `  ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join("  ")}`.trimEnd();
  return [line(heads), line(widths.map((width) => "─".repeat(width))), ...rows.map(line)];
}
