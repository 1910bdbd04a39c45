import { member, objectsIn, textIn } from "./json.ts";

/** What a vCon has now that it had not before. */
export interface Changes {
  /** The types of the analyses that were added. */
  readonly analyses: readonly string[];
  readonly tags: readonly string[];
  /** The purposes of the other attachments that were added. */
  readonly attachments: readonly string[];
  /** How many recordings are elsewhere now. */
  readonly moved: number;
  /** The vCon version before and after, if it changed. */
  readonly version: { readonly from: string; readonly to: string } | undefined;
}

export function changesBetween(before: unknown, after: unknown): Changes {
  const from = textIn(before, "vcon") ?? "none";
  const to = textIn(after, "vcon") ?? "none";
  return {
    analyses: without(analysesOf(after), analysesOf(before)),
    tags: without(tagsOf(after), tagsOf(before)),
    attachments: without(purposesOf(after), purposesOf(before)).filter((purpose) => purpose !== "tags"),
    moved: externalDialogs(after) - externalDialogs(before),
    version: from === to ? undefined : { from, to },
  };
}

/** In words, for the table. */
export function describeChanges({ analyses, tags, attachments, moved, version }: Changes): string {
  const parts = [
    analyses.length === 0 ? "" : `+${analyses.length} analyses`,
    tags.length === 0 ? "" : `+tags: ${tags.join(", ")}`,
    attachments.length === 0 ? "" : `+${attachments.join(", ")}`,
    moved === 0 ? "" : `${moved} recording moved out`,
    version === undefined ? "" : `version ${version.from} → ${version.to}`,
  ];
  return parts.filter((part) => part !== "").join("; ") || "nothing";
}

function analysesOf(vcon: unknown): readonly string[] {
  return objectsIn(vcon, "analysis").map((analysis) => textIn(analysis, "type") ?? "untyped");
}

function purposesOf(vcon: unknown): readonly string[] {
  return objectsIn(vcon, "attachments").map(purposeOf);
}

/** In older versions it is called type. */
function purposeOf(attachment: unknown): string {
  return textIn(attachment, "purpose") ?? textIn(attachment, "type") ?? "none";
}

function externalDialogs(vcon: unknown): number {
  return objectsIn(vcon, "dialog").filter((dialog) => textIn(dialog, "url") !== undefined).length;
}

/** Tags are texts in attachments whose purpose is "tags". */
function tagsOf(vcon: unknown): readonly string[] {
  return objectsIn(vcon, "attachments")
    .filter((attachment) => purposeOf(attachment) === "tags")
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
