import {
  type JsonObject,
  type JsonValue,
  migrate,
  type Vcon,
  type VconDocument,
  type VconForm,
  type VconState,
} from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";
import {
  fromLibrary,
  type IoDocument,
  type KnownContent,
  stateOf,
  toDocument,
  toLibrary,
} from "./io-document.ts";
import { type ProcessorIOInput, readInput } from "./io-input.ts";
import { copyJson, equalJson } from "./json.ts";

/** What the store had when the vCon was read: its exact text, and the revision a write must find again. */
export interface StoredOrigin {
  readonly text: string;
  readonly revision: number;
}

/** How a vCon comes into the IO. With none of these it is new: it will be stored whatever happens to it. */
export interface AddVcon {
  /** It is in the store; it will be written only when a processor changes it. */
  readonly stored?: StoredOrigin;
  /** It may not be changed and is never stored. */
  readonly readonly?: boolean;
  /** A caller lent it: it may be changed, and counts as changed only then. */
  readonly lent?: boolean;
}

/** One vCon and what the commit needs to know about it. */
export type IoEntry = IoDocument & {
  /** Undefined when it did not come from the store. */
  readonly origin: StoredOrigin | undefined;
  readonly readonly: boolean;
  /** To be stored: it is new, or a processor changed it. */
  readonly modified: boolean;
  /** A processor made it, or the caller brought it to be stored. */
  readonly isNew: boolean;
};

export interface QueuedJob {
  readonly queue: string;
  readonly uuids: readonly string[];
  /** A label kept in the job: the queue it comes from. Default: "", none. */
  readonly from?: string;
}

/** What the REST API calls VconProcessorOutput. */
export interface ProcessorOutput {
  readonly vcons: readonly JsonObject[];
  readonly vcons_modified: readonly boolean[];
  readonly parameters: JsonObject;
  readonly queue_jobs: readonly {
    readonly job_type: "vcon_uuid";
    readonly to_queue: string;
    readonly vcon_uuids: readonly string[];
    readonly from_queue?: string;
  }[];
}

/** Everything of a ProcessorIO as plain JSON, for a checkpoint. Shares its values with the IO: do not change them. */
export interface ProcessorIOSnapshot {
  readonly vcons: readonly {
    readonly value: JsonObject;
    /** Of a signed vCon whose content is known to be what was signed. */
    readonly known?: KnownContent;
    readonly origin?: StoredOrigin;
    readonly readonly: boolean;
    readonly modified: boolean;
    readonly isNew: boolean;
  }[];
  readonly parameters: JsonObject;
  readonly queue_jobs: readonly QueuedJob[];
}

/**
 * What processors work on: vCons in order, parameters, and jobs to queue. Nothing here reaches the store or
 * a queue by itself; who runs the processors commits it. vCons inside are never changed in place, only replaced.
 */
export class ProcessorIO {
  /** Named values that pass from processor to processor, and into options by `format_options`. */
  readonly parameters: Map<string, JsonValue>;
  readonly #entries: IoEntry[] = [];
  readonly #queueJobs: QueuedJob[] = [];

  constructor(parameters: JsonObject = {}) {
    this.parameters = new Map(Object.entries(parameters));
  }

  /**
   * From the `processor_io` of a request. Its vCons are lent: changed ones count as modified, others do not.
   *
   * @throws invalid_request, invalid_vcon, unsupported_vcon_version with a list of findings as `detail`
   */
  static fromInput(input: unknown): ProcessorIO {
    const { vcons, parameters }: ProcessorIOInput = readInput(input);
    const io = new ProcessorIO(parameters);
    for (const vcon of vcons) io.add(vcon, { lent: true });
    return io;
  }

  /** The IO that `snapshot` was taken of, as it was then. */
  static restore(snapshot: ProcessorIOSnapshot): ProcessorIO {
    const io = new ProcessorIO(snapshot.parameters);
    for (const { value, known, origin, readonly, modified, isNew } of snapshot.vcons) {
      const document = toDocument(value);
      const whole = document.form === "signed" ? { ...document, known } : document;
      io.#entries.push({ ...whole, origin, readonly, modified, isNew });
    }
    io.queueJobs(snapshot.queue_jobs);
    return io;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** All vCons with what the commit needs to know, in order. Read only. */
  get entries(): readonly IoEntry[] {
    return this.#entries;
  }

  /** The jobs to queue, in the order they were asked for. */
  get queuedJobs(): readonly QueuedJob[] {
    return this.#queueJobs;
  }

  /**
   * Adds a vCon (any form, any version; the newest version of it is kept) at the end. It belongs to the IO from
   * then on: do not change it.
   *
   * @returns its index
   * @throws invalid_request one with its uuid is there already, or it is both stored and read-only
   * @throws invalid_vcon it is not a vCon
   */
  add(vcon: JsonObject, { stored, readonly = false, lent = false }: AddVcon = {}): number {
    if (stored !== undefined && readonly) {
      throw new VconductorError("invalid_request", "Should not lock readonly vCon");
    }
    return this.#add(toDocument(migrate(vcon)), { stored, readonly, lent });
  }

  #add(
    document: IoDocument,
    {
      stored,
      readonly,
      lent,
    }: { readonly stored: StoredOrigin | undefined; readonly readonly: boolean; readonly lent: boolean },
  ): number {
    if (this.#entries.some(({ uuid }) => uuid === document.uuid)) {
      throw new VconductorError(
        "invalid_request",
        `vCon UUID: ${document.uuid} is in the ProcessorIO already`,
      );
    }
    const isNew = stored === undefined && !readonly && !lent;
    return this.#entries.push({ ...document, origin: stored, readonly, modified: isNew, isNew }) - 1;
  }

  /** @throws vcon_not_found no vCon has this index */
  uuid(index: number): string {
    return this.#entry(index).uuid;
  }

  /** @throws vcon_not_found no vCon has this index */
  form(index: number): VconForm {
    return this.#entry(index).form;
  }

  /** Whether it can be read, and if not, why. @throws vcon_not_found no vCon has this index */
  state(index: number): VconState {
    return stateOf(this.#entry(index));
  }

  /**
   * A copy of an unsigned vCon, to change and give to `update`.
   *
   * @throws vcon_not_found no vCon has this index
   * @throws invalid_vcon_state it is signed or encrypted
   */
  vcon(index: number): Vcon {
    return copyJson(this.peekVcon(index));
  }

  /** A copy of a vCon in whatever form it has. @throws vcon_not_found */
  document(index: number): JsonObject {
    return copyJson(this.peek(index));
  }

  /** As `vcon`, without the copy: to read, or to build a changed one from that shares what did not change. */
  peekVcon(index: number): Vcon {
    const entry = this.#entry(index);
    if (entry.form === "unsigned") return entry.value;
    throw wrongState("Cannot modify Vcon unless current state is UNSIGNED.", stateOf(entry));
  }

  /**
   * What a vCon holds, to read only: of an unsigned one, and of one that was signed or verified in this run.
   *
   * @throws vcon_not_found no vCon has this index
   * @throws invalid_vcon_state nobody has verified it yet, or it is encrypted
   */
  content(index: number): Vcon {
    const entry = this.#entry(index);
    const content = entry.form === "signed" ? entry.known?.content : undefined;
    if (content !== undefined) return content;
    if (entry.form === "unsigned") return entry.value;
    const what =
      entry.form === "signed"
        ? "Vcon must be verified before it can be read."
        : "Vcon must be decrypted before it can be read.";
    throw wrongState(what, stateOf(entry));
  }

  /** The vCon as what it holds where that can be read, else as it is: JWS or JWE. @throws vcon_not_found */
  view(index: number): JsonObject {
    const entry = this.#entry(index);
    return entry.form === "signed" && entry.known !== undefined ? entry.known.content : entry.value;
  }

  /** The vCon as the library's filters take it. @throws vcon_not_found */
  toLibrary(index: number): VconDocument {
    return toLibrary(this.#entry(index));
  }

  /** What a filter of the library gave: takes the place of the vCon with its uuid, or is added as a new one. */
  fromLibrary(result: VconDocument): number {
    const document = fromLibrary(result);
    if (this.indexOf(document.uuid) >= 0) return this.#update(document);
    return this.#add(document, { stored: undefined, readonly: false, lent: false });
  }

  /** As `document`, without the copy: read only. @throws vcon_not_found */
  peek(index: number): JsonObject {
    return this.#entry(index).value;
  }

  /**
   * Puts `vcon` (any form) in place of the one with its uuid, which then counts as modified, if it really differs.
   * It belongs to the IO from then on: do not change it.
   *
   * @returns its index
   * @throws vcon_not_found no vCon has its uuid
   * @throws conflict the one that has is read-only
   */
  update(vcon: JsonObject): number {
    return this.#update(toDocument(vcon));
  }

  #update(document: IoDocument): number {
    const index = this.indexOf(document.uuid);
    const current = this.#entries[index];
    if (current === undefined) {
      throw new VconductorError("vcon_not_found", `vCon UUID: ${document.uuid} not found in ProcessorIO`);
    }
    if (current.readonly) {
      throw new VconductorError("conflict", `vCon ${document.uuid} has no write lock`);
    }
    const { origin, readonly, isNew } = current;
    const modified = current.modified || !equalJson(current.value, document.value);
    // One that was only verified is to be stored no more than before.
    if (modified || document.form === "signed") {
      this.#entries[index] = { ...document, origin, readonly, isNew, modified };
    }
    return index;
  }

  /** Where the vCon with this uuid is, or -1. */
  indexOf(uuid: string): number {
    return this.#entries.findIndex((entry) => entry.uuid === uuid);
  }

  /** Asks for a job to be queued when this IO is committed. Whether the queue exists shows only then. */
  queueJob(job: QueuedJob): void {
    this.#queueJobs.push(job);
  }

  queueJobs(jobs: readonly QueuedJob[]): void {
    this.#queueJobs.push(...jobs);
  }

  /** What callers of the REST API get. Shares its values with the IO. */
  toOutput(): ProcessorOutput {
    return {
      vcons: this.#entries.map(({ value }) => value),
      vcons_modified: this.#entries.map(({ modified }) => modified),
      parameters: Object.fromEntries(this.parameters),
      queue_jobs: this.#queueJobs.map(({ queue, uuids, from = "" }) => ({
        job_type: "vcon_uuid",
        to_queue: queue,
        vcon_uuids: uuids,
        ...(from === "" ? {} : { from_queue: from }),
      })),
    };
  }

  snapshot(): ProcessorIOSnapshot {
    return {
      vcons: this.#entries.map(({ value, origin, readonly, modified, isNew, ...rest }) => ({
        value,
        ...("known" in rest && rest.known !== undefined ? { known: rest.known } : {}),
        ...(origin === undefined ? {} : { origin }),
        readonly,
        modified,
        isNew,
      })),
      parameters: Object.fromEntries(this.parameters),
      queue_jobs: [...this.#queueJobs],
    };
  }

  /** An independent IO with the same content, to try again with after a failure. */
  clone(): ProcessorIO {
    return ProcessorIO.restore(this.snapshot());
  }

  #entry(index: number): IoEntry {
    const entry = this.#entries[index];
    if (entry !== undefined) return entry;
    const count = this.#entries.length;
    throw new VconductorError(
      "vcon_not_found",
      `vCon index: ${index} not found in ProcessorIO, which has ${count} vCons`,
    );
  }
}

function wrongState(rule: string, state: VconState): VconductorError {
  // The reference's text, its two blanks included: clients look for it.
  return new VconductorError(
    "invalid_vcon_state",
    `${rule}  Current state: VconStates.${state.toUpperCase()}`,
  );
}
