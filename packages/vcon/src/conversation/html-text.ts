const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};
const hidden = [
  { start: /^script\b/, end: /<\/script/gi },
  { start: /^style\b/, end: /<\/style/gi },
  { start: /^head\b/, end: /<\/head/gi },
];
const breaking = /^\/?(?:br|p|div|li|tr|h[1-6]|blockquote)\b/;

/**
 * The readable text of an HTML message, roughly: no layout, no tables. One pass over the input whatever it holds, since
 * messages come from strangers. The result is text, not safe HTML: escape it where it is shown.
 */
export function htmlToText(html: string): string {
  let text = "";
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    if (open < 0) break;
    text += html.slice(at, open);
    const close = html.indexOf(">", open);
    if (close < 0) return tidy(text);
    const tag = html.slice(open + 1, Math.min(close, open + 20)).toLowerCase();
    if (breaking.test(tag)) text += "\n";
    at = close + 1;
    const element = hidden.find(({ start }) => start.test(tag));
    if (element === undefined) continue;
    element.end.lastIndex = at;
    const end = element.end.exec(html);
    if (end === null) return tidy(text);
    at = end.index;
  }
  return tidy(text + html.slice(at));
}

function tidy(text: string): string {
  const decoded = text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,6});/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return entities[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
  const lines = decoded.split("\n").map((line) => line.replace(/[ \t\r\u00a0]+/g, " ").trim());
  return lines
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
