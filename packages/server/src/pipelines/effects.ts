import { isDeepStrictEqual } from "node:util";
import { type JsonObject, migrate, rewrite } from "@vconductor/vcon";
import type { NewJob } from "../jobs/job-queue.ts";
import type { IoEntry, ProcessorIO } from "../processors/io.ts";
import type { StoredVcon, VconChange } from "../vcons/vcon-store.ts";
import type { Actor } from "./actor.ts";

/** What the vCons of an IO were made from: their texts as stored or given, by uuid. */
export type Sources = ReadonlyMap<
  string,
  Pick<StoredVcon, "body"> & Partial<Pick<StoredVcon, "revision" | "generation">>
>;

/**
 * What an IO has to be stored: its new and modified vCons. What no processor touched keeps its exact text.
 * @param sources what the vCons were made from; one that a processor made has none
 */
export function changesOf(io: ProcessorIO, sources: Sources, { viewer }: Actor): readonly VconChange[] {
  // What is made out of a vCon is seen by those who see that one.
  const like = io.entries.find((entry) => entry.origin !== undefined)?.uuid;
  return io.entries
    .filter((entry) => entry.modified)
    .map((entry) => {
      const { uuid, form, value } = entry;
      return {
        uuid,
        form,
        value,
        body: textOf(entry, sources),
        stored: expected(entry, sources),
        viewer,
        like,
      };
    });
}

export function followUpsOf(io: ProcessorIO, { principal }: Actor): readonly NewJob[] {
  return io.queuedJobs.map((job) => ({
    queue: job.queue,
    vconUuids: job.uuids,
    fromQueue: job.from || undefined,
    principal,
  }));
}

function expected(entry: IoEntry, sources: Sources): VconChange["stored"] {
  if (entry.origin === undefined) return undefined;
  const { revision } = entry.origin;
  const source = sources.get(entry.uuid);
  // A vCon that came from a checkpoint may have moved on since: generation 0 matches no row, so that shows.
  return { revision, generation: source?.revision === revision ? (source.generation ?? 0) : 0 };
}

function textOf(entry: IoEntry, sources: Sources): string {
  const text = entry.origin?.text ?? sources.get(entry.uuid)?.body;
  if (text === undefined) return JSON.stringify(entry.value);
  const original: JsonObject = JSON.parse(text);
  // One that no processor touched, but that counts as new, stays as it was given, in its own version.
  if (entry.origin === undefined && isDeepStrictEqual(migrate(original), entry.value)) return text;
  return rewrite({ text, original, changed: entry.value });
}
