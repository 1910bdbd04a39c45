import { plausibleSeconds } from "../document/dates.ts";
import { isArray, isObject, member, objectMember, objectsMember, stringMember } from "../document/json.ts";
import { readable } from "../document/parties.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import type { Imported } from "./imported.ts";
import { invalidImport, jsonIn, textOf } from "./text-file.ts";
import { type TranscribedOptions, withRecording } from "./transcribed.ts";

/**
 * Reads a transcript in the World Transcription Format (draft-howe-vcon-wtf-extension): an analysis of that extension,
 * kept as it is. Speakers with a name become parties.
 *
 * @throws VconError invalid_import it is none: it lacks `transcript.text` or `segments`, or is nested too deep
 */
export function importWtf(file: Uint8Array | string, options: TranscribedOptions = {}): Imported {
  const body = jsonIn(textOf(file));
  if (!isWtf(body)) {
    throw invalidImport(
      "This is no transcript in the World Transcription Format: it needs transcript.text and segments.",
    );
  }
  const metadata = objectMember(body, "metadata") ?? {};
  const provider = readable(stringMember(metadata, "provider") ?? "");
  const product = readable(stringMember(metadata, "model") ?? "");
  const analysis = {
    type: "wtf_transcription",
    vendor: provider === "" ? "unknown" : provider,
    ...(product === "" ? {} : { product }),
    mediatype: "application/json",
    encoding: "json",
    body,
  };
  const duration =
    plausibleSeconds(member(objectMember(metadata, "audio") ?? {}, "duration")) ??
    plausibleSeconds(member(objectMember(body, "transcript") ?? {}, "duration"));
  const imported = withRecording(analysis, {
    ...options,
    speakers: speakersOf(body),
    ...(duration === undefined ? {} : { duration }),
  });
  return { ...imported, extensions: ["wtf_transcription"] };
}

/** Does it look like a transcript of this format? */
export function isWtf(value: JsonValue | undefined): value is JsonObject {
  if (!isObject(value)) return false;
  const transcript = objectMember(value, "transcript");
  return (
    transcript !== undefined &&
    stringMember(transcript, "text") !== undefined &&
    isArray(member(value, "segments"))
  );
}

/** The speakers in order of appearance: by what `speakers` calls them, else by what their segments do. */
function speakersOf(body: JsonObject): readonly string[] {
  const speakers = objectMember(body, "speakers") ?? {};
  return objectsMember(body, "segments").flatMap((segment) => {
    const id = member(segment, "speaker");
    if (typeof id !== "string" && typeof id !== "number") return [];
    const entry = member(speakers, String(id));
    if (typeof entry === "string") return [entry];
    const named = isObject(entry) ? (stringMember(entry, "name") ?? stringMember(entry, "label")) : undefined;
    return [named ?? String(id)];
  });
}
