import { hostname } from "node:os";
import { type Analysis, isVcon, type JsonObject, newUuid, transcript, type Vcon } from "@vconductor/vcon";
import { findPii, replacePii } from "@vconductor/vcon/redaction";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { defineProcessor } from "../define.ts";
import { isJsonObject } from "../json.ts";
import { inputDialogs, selectDialogs } from "../select-dialogs.ts";
import { transcribeMissing } from "../transcription/transcribe-missing.ts";

export const textPiiRedactor = defineProcessor({
  name: "text_pii_redactor",
  title: "Redact text with jq",
  description:
    "Adds a redacted vCon: to a copy of the input, each dialog gets an analysis transcript-redacted in which personal data " +
    "is replaced by its kind in braces; what a jq program makes of that copy is the redacted vCon. The program decides what " +
    "stays: to be safe without one, use redact. The input stays as it is.",
  version: "1.0.0",
  options: Type.Object({
    jq_redaction_query: Type.String({
      title: "query",
      description: "jq program over the copy; its first result is the redacted vCon.",
      minLength: 1,
    }),
    redaction_type_label: Type.String({
      title: "type",
      description: "What kind of information is removed.",
      minLength: 1,
    }),
    uuid_domain: Type.Union([Type.String(), Type.Null()], {
      title: "uuid domain",
      description: "In the uuid of the new vCon, where the program gives none. Empty: the host's name.",
      default: "",
    }),
    input_dialogs: { ...inputDialogs, default: "" },
  }),
  example: {
    about: "Keeps the redacted transcripts and what is needed to understand them.",
    options: {
      jq_redaction_query:
        '{vcon, created_at, parties: (.parties | map({})), dialog: (.dialog | map({type, start, duration, parties})), analysis: [.analysis[] | select(.type == "transcript-redacted")]}',
      redaction_type_label: "personal data",
    },
  },
  async process(io, options, context) {
    const index = options.input_vcon_index;
    const selected = selectDialogs(options.input_dialogs, (io.peekVcon(index).dialog ?? []).length);
    await transcribeMissing(io, { index, dialogs: selected, context });
    const original = io.peekVcon(index);
    const redacted = await redactedTranscripts(original, selected);
    const copy: Vcon = { ...original, analysis: [...(original.analysis ?? []), ...redacted] };
    const [result] = await context.jq(options.jq_redaction_query, copy);
    if (!isJsonObject(result)) {
      throw new VconductorError(
        "invalid_query",
        "jq_redaction_query does not give a vCon: an object is needed",
      );
    }
    const own = typeof result.uuid === "string" && result.uuid !== "" && result.uuid !== original.uuid;
    const made: JsonObject = {
      ...result,
      vcon: original.vcon ?? "0.4.0",
      uuid: own ? (result.uuid ?? "") : await newUuid({ domain: options.uuid_domain || hostname() }),
      created_at: result.created_at ?? original.created_at ?? null,
      parties: result.parties ?? [],
      redacted: { uuid: original.uuid, type: options.redaction_type_label },
    };
    if (!isVcon(made)) {
      throw new VconductorError("invalid_query", "what jq_redaction_query gives is not a valid vCon");
    }
    io.add(made);
    return io;
  },
});

async function redactedTranscripts(vcon: Vcon, dialogs: readonly number[]): Promise<readonly Analysis[]> {
  const names = (vcon.parties ?? []).flatMap(({ name }) => (typeof name === "string" ? [name] : []));
  const turns = transcript(vcon);
  const analyses: Analysis[] = [];
  for (const dialog of dialogs) {
    const body = [];
    for (const turn of turns.filter((candidate) => candidate.dialog === dialog)) {
      const spans = await findPii(turn.text, { names });
      body.push({
        ...(turn.party === undefined ? {} : { parties: turn.party }),
        ...(turn.start === undefined ? {} : { start: new Date(turn.start).toISOString() }),
        ...(turn.duration === undefined ? {} : { duration: turn.duration }),
        text: replacePii(turn.text, spans),
      });
    }
    if (body.length > 0) analyses.push({ ...mark, dialog, body });
  }
  return analyses;
}

const mark = {
  type: "transcript-redacted",
  vendor: "vConductor",
  product: "text_pii_redactor",
  schema: "transcript-redacted/1",
  mediatype: "application/json",
  encoding: "json",
} as const;
