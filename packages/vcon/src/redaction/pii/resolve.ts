import { type PiiSpan, spanAt } from "./types.ts";

/**
 * Spans in the order of the text, none over another. Two of the same kind that meet become one. Of others the surer
 * (then the longer) one keeps its place, and what the other has beyond it remains as a span of its own: nothing that
 * was found is let go.
 */
export function resolveSpans(text: string, spans: readonly PiiSpan[]): readonly PiiSpan[] {
  const kinds = Map.groupBy(spans, ({ kind }) => kind);
  const joined = [...kinds.values()].flatMap((alike) => clusters(alike).flatMap((each) => join(text, each)));
  return clusters(joined).flatMap((cluster) => resolveCluster(text, cluster));
}

function join(text: string, cluster: readonly PiiSpan[]): readonly PiiSpan[] {
  const [first] = cluster;
  if (first === undefined) return [];
  const end = cluster.reduce((most, span) => Math.max(most, span.end), 0);
  const score = cluster.reduce((most, span) => Math.max(most, span.score), 0);
  return [spanAt(text, { kind: first.kind, start: first.start, end, score })];
}

function clusters(spans: readonly PiiSpan[]): readonly (readonly PiiSpan[])[] {
  const groups: PiiSpan[][] = [];
  let end = -1;
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    if (span.start < end) groups.at(-1)?.push(span);
    else groups.push([span]);
    end = Math.max(end, span.end);
  }
  return groups;
}

function resolveCluster(text: string, cluster: readonly PiiSpan[]): readonly PiiSpan[] {
  if (cluster.length === 1) return cluster;
  const best = cluster.toSorted((a, b) => b.score - a.score || b.end - b.start - (a.end - a.start));
  const taken: PiiSpan[] = [];
  for (const span of best) {
    let free: readonly PiiSpan[] = [span];
    for (const other of taken) free = free.flatMap((piece) => without(text, { piece, other }));
    taken.push(...free);
  }
  return taken.sort((a, b) => a.start - b.start);
}

/** What is left of a piece beside another span: nothing, one end, or both; an end of punctuation is not worth a span. */
function without(
  text: string,
  { piece, other }: { readonly piece: PiiSpan; readonly other: PiiSpan },
): readonly PiiSpan[] {
  if (other.end <= piece.start || other.start >= piece.end) return [piece];
  const ends = [
    { start: piece.start, end: other.start },
    { start: other.end, end: piece.end },
  ];
  return ends.flatMap(({ start, end }) => {
    const part = text.slice(start, Math.max(start, end));
    if (!/[\p{L}\p{N}]/u.test(part)) return [];
    const from = start + (part.length - part.trimStart().length);
    return [spanAt(text, { ...piece, start: from, end: from + part.trim().length })];
  });
}
