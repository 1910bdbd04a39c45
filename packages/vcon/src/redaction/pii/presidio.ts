import { decodeUtf8 } from "../../document/base64url.ts";
import { VconError } from "../../document/errors.ts";
import { type Fetch, readBody, reasonOf } from "../../document/fetch.ts";
import { isArray, isObject, member, parseJson, stringMember } from "../../document/json.ts";
import type { JsonValue } from "../../document/types.ts";
import { resolveSpans } from "./resolve.ts";
import { type PiiDetector, type PiiSpan, spanAt } from "./types.ts";

export interface PresidioOptions {
  /** Of the analyzer, for example "http://127.0.0.1:5002". */
  readonly url: string;
  /** Of the text. Default: "en" */
  readonly language?: string;
  /** Spans that it is less sure of, 0 to 1, do not count. Default: 0.4 */
  readonly minScore?: number;
  /** Default: the global `fetch` */
  readonly fetch?: Fetch;
  readonly signal?: AbortSignal;
}

const MAX_BYTES = 16 * 1024 * 1024;

/**
 * A detector that asks a Presidio analyzer (`POST /analyze`).
 *
 * Its calls throw VconError fetch_failed when it does not answer, refuses or answers something else: text that
 * nobody looked at is never taken for clean.
 */
export function presidioDetector({
  url,
  language = "en",
  minScore = 0.4,
  fetch: get = fetch,
  signal,
}: PresidioOptions): PiiDetector {
  const address = `${url.replace(/\/+$/, "")}/analyze`;
  return async (text) => {
    const response = await get(address, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ text, language, score_threshold: minScore }),
      ...(signal === undefined ? {} : { signal }),
    }).catch((cause: unknown) => {
      throw new VconError("fetch_failed", `Presidio at ${address} does not answer: ${reasonOf(cause)}.`, {
        cause,
      });
    });
    const body = decodeUtf8(await readBody(response, { url: address, maxBytes: MAX_BYTES }));
    if (!response.ok)
      throw new VconError("fetch_failed", `Presidio at ${address} answered ${response.status}.`);
    const answer = parseJson(body);
    if (!isArray(answer))
      throw new VconError("fetch_failed", `Presidio at ${address} answered no list of findings.`);
    const toUnit = unitsOf(text);
    const spans = answer.map((entry) => spanOf(text, { entry, toUnit }));
    if (spans.includes(undefined)) {
      throw new VconError(
        "fetch_failed",
        `Presidio at ${address} answered a finding without its place in the text.`,
      );
    }
    return resolveSpans(
      text,
      spans.filter((span) => span !== undefined && span.score >= minScore).flatMap((span) => span ?? []),
    );
  };
}

function spanOf(
  text: string,
  { entry, toUnit }: { readonly entry: JsonValue; readonly toUnit: (point: number) => number | undefined },
): PiiSpan | undefined {
  if (!isObject(entry)) return undefined;
  const [from, to, score] = [member(entry, "start"), member(entry, "end"), member(entry, "score") ?? 1];
  const kind = stringMember(entry, "entity_type");
  if (kind === undefined || typeof from !== "number" || typeof to !== "number" || typeof score !== "number")
    return undefined;
  const [start, end] = [toUnit(from), toUnit(to)];
  return start === undefined || end === undefined || start >= end
    ? undefined
    : spanAt(text, { kind, start, end, score });
}

/** Presidio counts characters as Python does, by code points; JavaScript by UTF-16 units. */
function unitsOf(text: string): (point: number) => number | undefined {
  const points = [...text];
  if (points.length === text.length)
    return (point) => (Number.isInteger(point) && point >= 0 && point <= text.length ? point : undefined);
  const units = [0];
  for (const character of points) units.push((units.at(-1) ?? 0) + character.length);
  return (point) => units[point];
}
