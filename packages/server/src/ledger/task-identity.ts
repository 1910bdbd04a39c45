import { createHash } from "node:crypto";
import { tokensOf } from "@vconductor/vcon";

/**
 * The canonical form of a JSON text, in which the ledger compares inputs: no whitespace, members sorted by code point, the
 * last of repeated ones, `/` as `\/`, everything beyond ASCII as `\u` and lower-case hex, whole numbers digit by digit,
 * others as their shortest form. It is what ujson writes with sorted keys.
 */
export function canonicalInput(text: string): string {
  const tokens = tokensOf(text);
  return canonical(next(tokens), tokens);
}

/** Names an input within its pipeline: SHA-256 of the canonical form, lower-case hex. */
export function inputIdOf(text: string): string {
  return createHash("sha256").update(canonicalInput(text)).digest("hex");
}

/** Of the value that begins with `first`. Put together with `+`, which copies nothing: values may be large and nest deep. */
function canonical(first: string, tokens: Iterator<string, void>): string {
  if (first === "[") {
    let items = "";
    for (let token = next(tokens); token !== "]"; token = next(tokens)) {
      items += (items === "" ? "" : ",") + canonical(token, tokens);
    }
    return `[${items}]`;
  }
  if (first === "{") {
    const members = new Map<string, string>();
    for (let token = next(tokens); token !== "}"; token = next(tokens)) {
      members.set(String(JSON.parse(token)), canonical(next(tokens), tokens));
    }
    let sorted = "";
    for (const name of inOrder([...members.keys()])) {
      sorted += `${sorted === "" ? "" : ","}${quote(name)}:${members.get(name)}`;
    }
    return `{${sorted}}`;
  }
  if (first.startsWith('"')) return quote(String(JSON.parse(first)));
  return /^[-\d]/.test(first) ? toNumber(first) : first;
}

function next(tokens: Iterator<string, void>): string {
  const { value } = tokens.next();
  if (value === undefined) throw new Error("the JSON ends too early");
  return value;
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

/** By code point. Text is compared by UTF-16 units, which puts what is beyond U+FFFF before some of what is not. */
function inOrder(names: readonly string[]): readonly string[] {
  return names.some((name) => /[\ud800-\uffff]/.test(name)) ? names.toSorted(byCodePoint) : names.toSorted();
}

function byCodePoint(a: string, b: string): number {
  for (let at = 0; ; ) {
    const [left, right] = [a.codePointAt(at) ?? -1, b.codePointAt(at) ?? -1];
    if (left !== right || left < 0) return left - right;
    at += left > 0xffff ? 2 : 1;
  }
}
