import type { Analysis, Vcon } from "@vconductor/vcon";

/** Is there a transcript of this dialog, whoever made it? */
export function hasTranscript(vcon: Vcon, dialog: number): boolean {
  return (vcon.analysis ?? []).some((entry) => isTranscriptOf(entry, { vcon, dialog }));
}

/** Old files do not say which dialog a transcript is of; with a single dialog that is clear anyway. */
export function isTranscriptOf(
  { type, dialog: given }: Analysis,
  { vcon, dialog }: { readonly vcon: Vcon; readonly dialog: number },
): boolean {
  if (type !== "transcript" && type !== "wtf_transcription") return false;
  const indices = [given].flat();
  return indices.includes(dialog) || (dialog === 0 && vcon.dialog?.length === 1);
}
