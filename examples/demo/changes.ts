import { member, objectsIn, textIn } from "./json.ts";

/** What a vCon has now that it had not before. */
export interface Changes {
  /** The types of the analyses that were added. */
  readonly analyses: readonly string[];
  readonly tags: readonly string[];
  /** The vCon version before and after, if it changed. */
  readonly version: { readonly from: string; readonly to: string } | undefined;
}

export function changesBetween(before: unknown, after: unknown): Changes {
  const from = textIn(before, "vcon") ?? "none";
  const to = textIn(after, "vcon") ?? "none";
  return {
    analyses: without(analysesOf(after), analysesOf(before)),
    tags: without(tagsOf(after), tagsOf(before)),
    version: from === to ? undefined : { from, to },
  };
}

/** In words, for the table. */
export function describeChanges({ analyses, tags, version }: Changes): string {
  const parts = [
    analyses.length === 0 ? "" : `+${analyses.length} analysis (${analyses.join(", ")})`,
    tags.length === 0 ? "" : `+tags: ${tags.join(", ")}`,
    version === undefined ? "" : `version ${version.from} → ${version.to}`,
  ];
  return parts.filter((part) => part !== "").join("; ") || "nothing";
}

function analysesOf(vcon: unknown): readonly string[] {
  return objectsIn(vcon, "analysis").map((analysis) => textIn(analysis, "type") ?? "untyped");
}

/** Tags are texts in attachments whose purpose (in older versions: type) is "tags". */
function tagsOf(vcon: unknown): readonly string[] {
  return objectsIn(vcon, "attachments")
    .filter((attachment) => (textIn(attachment, "purpose") ?? textIn(attachment, "type")) === "tags")
    .flatMap((attachment) => {
      const body = member(attachment, "body");
      return Array.isArray(body) ? body.filter((tag) => typeof tag === "string") : [];
    });
}

/** The values less those of the other list, each taken away once: a second one of its kind stays. */
function without(values: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return values.filter((value) => {
    const index = left.indexOf(value);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}
