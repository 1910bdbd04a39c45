import type { Analysis, JsonObject, Vcon } from "@vconductor/vcon";
import { providerOf, type TranscriptionProviderName } from "../../providers/transcription/providers.ts";
import type { Transcription } from "../../providers/transcription/transcriber.ts";
import { isTranscriptOf } from "./has-transcript.ts";

/** The extension whose analyses are of type `wtf_transcription`. */
const EXTENSION = "wtf_transcription";

export interface TranscriptAnalyses {
  readonly dialog: number;
  readonly provider: TranscriptionProviderName;
  readonly transcription: Transcription;
  /** The transcript in the World Transcription Format, to stand beside the vendor's own. */
  readonly wtf?: JsonObject | undefined;
  /** Take the place of what the same vendor said of this dialog before. */
  readonly overwrite: boolean;
}

/** The vCon with the transcript as the vendor gave it and, if there is one, in the World Transcription Format. */
export function withTranscript(vcon: Vcon, given: TranscriptAnalyses): Vcon {
  const { dialog, transcription, wtf, overwrite } = given;
  const { vendor, product = transcription.model } = providerOf[given.provider];
  const json = { mediatype: "application/json", encoding: "json" } as const;
  const own: Analysis = {
    type: "transcript",
    dialog,
    vendor,
    product,
    schema: transcription.schema,
    ...json,
    body: transcription.vendor,
  };
  const normal: readonly Analysis[] =
    wtf === undefined
      ? []
      : [{ type: EXTENSION, dialog, vendor, product: transcription.model, ...json, body: wtf }];
  const before = (vcon.analysis ?? []).filter(
    (entry) => !(overwrite && isTranscriptOf(entry, { vcon, dialog }) && isFrom(entry, own)),
  );
  // The best transcript counts, and of equals the last: the one that knows the parties.
  const result = { ...vcon, analysis: [...before, own, ...normal] };
  return wtf === undefined ? result : withExtension(result);
}

function withExtension(vcon: Vcon): Vcon {
  const listed = Array.isArray(vcon.extensions) ? vcon.extensions : [];
  return listed.includes(EXTENSION) ? vcon : { ...vcon, extensions: [...listed, EXTENSION] };
}

/** Made with the same provider? Others may share the vendor, as whisper_base and openai do, but not the schemas. */
function isFrom(entry: Analysis, { vendor, schema }: Analysis): boolean {
  if (entry.vendor !== vendor) return false;
  return entry.type === EXTENSION || family(entry.schema) === family(schema);
}

/** "openai" of "openai_verbose_json". */
function family(schema: unknown): string | undefined {
  return typeof schema === "string" ? schema.split("_")[0] : undefined;
}
