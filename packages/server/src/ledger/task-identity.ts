import { createHash } from "node:crypto";
import { itemsOf, type Span, valueSpan } from "@vconductor/vcon";

/**
 * The canonical form of a JSON text, in which the ledger compares inputs: no whitespace, members sorted by code point, the
 * last of repeated ones, `/` as `\/`, everything beyond ASCII as `\u` and lower-case hex, whole numbers digit by digit,
 * others as their shortest form. It is what ujson writes with sorted keys.
 */
export function canonicalInput(text: string): string {
  return canonical(text, valueSpan(text));
}

/** Names an input within its pipeline: SHA-256 of the canonical form, lower-case hex. */
export function inputIdOf(text: string): string {
  return createHash("sha256").update(canonicalInput(text)).digest("hex");
}

function canonical(text: string, span: Span): string {
  const first = text.charAt(span.start);
  if (first === "[")
    return `[${itemsOf(text, span)
      .map((item) => canonical(text, item.value))
      .join(",")}]`;
  if (first === "{") {
    const members = new Map(itemsOf(text, span).map(({ name = "", value }) => [name, value]));
    const sorted = [...members].toSorted(([a], [b]) => byCodePoint(a, b));
    return `{${sorted.map(([name, value]) => `${quote(name)}:${canonical(text, value)}`).join(",")}}`;
  }
  const spelled = text.slice(span.start, span.end);
  if (first === '"') return quote(String(JSON.parse(spelled)));
  return /^[-\d]/.test(spelled) ? toNumber(spelled) : spelled;
}

function toNumber(spelled: string): string {
  if (/^-?\d+$/.test(spelled)) return spelled === "-0" ? "0" : spelled;
  const value = Number(spelled);
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  // The digits are the same everywhere; from when on there is an exponent is not.
  const scientific = value.toExponential();
  const exponent = Number(scientific.slice(scientific.indexOf("e") + 1));
  if (exponent < -4 || exponent >= 16) return scientific;
  const plain = String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "/": "\\/",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function quote(value: string): string {
  const escaped = value.replace(
    /["\\/]|[^ -\u007f]/g,
    (unit) => short[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

/** Text is compared by UTF-16 units otherwise, which puts what is beyond U+FFFF before some of what is not. */
function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (const [index, one] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const difference = (one.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
