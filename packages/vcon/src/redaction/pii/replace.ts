/** As much of a span as it takes to replace it. */
interface Place {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The text with every span replaced.
 *
 * @param spans in the order of the text, not overlapping, as detectors give them
 * @param label Default: the kind in braces, for example `{{PHONE_NUMBER}}`
 */
export function replacePii(
  text: string,
  spans: readonly Place[],
  label: (kind: string) => string = (kind) => `{{${kind}}}`,
): string {
  const parts: string[] = [];
  let at = 0;
  for (const { kind, start, end } of spans) {
    parts.push(text.slice(at, start), label(kind));
    at = end;
  }
  return [...parts, text.slice(at)].join("");
}
