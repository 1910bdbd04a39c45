/**
 * The rows of a CSV text as RFC 4180 has it: fields may be quoted, a quote in them is doubled, and they may hold line
 * breaks. The separator is that of comma, semicolon and tab which the first line has most of. Empty lines are left out.
 * A quoted field that is never closed ends with the text.
 */
export function readCsv(text: string): readonly (readonly string[])[] {
  const separator = separatorOf(text);
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at <= text.length; ) {
    const { field, end } = text[at] === '"' ? quoted(text, { at, separator }) : bare(text, { at, separator });
    row.push(field);
    at = end + 1;
    if (text[end] === separator) continue;
    if (text[end] === "\r" && text[end + 1] === "\n") at += 1;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}

interface Place {
  readonly at: number;
  readonly separator: string;
}

function separatorOf(text: string): string {
  const line = text.slice(0, /[\r\n]/.exec(text)?.index ?? text.length);
  const count = (mark: string) => line.split(mark).length;
  return [",", ";", "\t"].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

function bare(text: string, { at, separator }: Place): { readonly field: string; readonly end: number } {
  let end = at;
  while (end < text.length && text[end] !== separator && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return { field: text.slice(at, end), end };
}

function quoted(text: string, { at, separator }: Place): { readonly field: string; readonly end: number } {
  let field = "";
  let from = at + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return { field: field + text.slice(from), end: text.length };
    field += text.slice(from, quote);
    if (text[quote + 1] !== '"') {
      // What follows the closing quote, against the rules, is part of the field too.
      const rest = bare(text, { at: quote + 1, separator });
      return { field: field + rest.field, end: rest.end };
    }
    field += '"';
    from = quote + 2;
  }
}
