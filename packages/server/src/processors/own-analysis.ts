import type { Analysis, JsonValue, Vcon } from "@vconductor/vcon";

/** What marks an analysis of ours among others of its type. */
export interface OwnMark {
  readonly type: string;
  readonly product: string;
  /** Names the documented shape of the body, with its version. */
  readonly schema: string;
}

const vendor = "vConductor";

/** The vCon with our analysis, in place of the one of an earlier run; without any when there is nothing to say. */
export function withOwnAnalysis(
  vcon: Vcon,
  { mark, body }: { readonly mark: OwnMark; readonly body: JsonValue | undefined },
): Vcon {
  const analysis = vcon.analysis ?? [];
  const isOurs = (entry: Analysis) =>
    entry.type === mark.type && entry.vendor === vendor && entry.product === mark.product;
  const earlier = analysis.findIndex(isOurs);
  if (body === undefined && earlier < 0) return vcon;
  const others = analysis.filter((entry) => !isOurs(entry));
  if (body === undefined) return { ...vcon, analysis: others };
  const { type, product, schema } = mark;
  const dialog = [...(vcon.dialog ?? []).keys()];
  const entry: Analysis = {
    type,
    dialog,
    vendor,
    product,
    schema,
    mediatype: "application/json",
    encoding: "json",
    body,
  };
  return { ...vcon, analysis: others.toSpliced(earlier < 0 ? others.length : earlier, 0, entry) };
}
