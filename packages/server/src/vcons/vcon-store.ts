import type { JsonObject, VconForm } from "@vconductor/vcon";
import type { Transaction } from "../database/database.ts";

/** A vCon as it lies in the store. `body` is the JSON text exactly as it was given. */
export interface StoredVcon {
  readonly uuid: string;
  readonly form: VconForm;
  readonly body: string;
  /** 1 when first stored, then one more with every write. */
  readonly revision: number;
  /** Differs between two vCons stored under one uuid with a delete in between. */
  readonly generation: number;
}

/** A vCon to be written: the text, and what was read from it. */
export interface VconWrite {
  readonly uuid: string;
  readonly form: VconForm;
  readonly body: string;
  readonly value: JsonObject;
}

/** What must hold for a write or delete to go ahead (`If-Match`, `If-None-Match: *`). */
export interface WriteCondition {
  /** Only over one of these revisions; `*` for any that exists. */
  readonly ifMatch?: readonly number[] | "*" | undefined;
  /** Only if no vCon has this uuid. */
  readonly ifAbsent?: boolean | undefined;
}

/** A change by a pipeline. `stored` is what it was computed from; undefined for a vCon that the pipeline made. */
export interface VconChange extends VconWrite {
  readonly stored: { readonly revision: number; readonly generation: number } | undefined;
}

export interface VconListing {
  readonly uuid: string;
  readonly form: string;
  readonly subject: string | null;
  readonly parties: readonly string[];
  readonly revision: number;
  readonly createdAt: Date;
  readonly storedAt: Date;
  readonly updatedAt: Date;
  readonly size: number;
}

export interface VconFilter {
  readonly tel?: string | undefined;
  readonly mailto?: string | undefined;
  readonly name?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Words that the subject contains, in any order and case. */
  readonly subject?: string | undefined;
  /** Full text, in the syntax of PostgreSQL's websearch_to_tsquery. */
  readonly text?: string | undefined;
  readonly after?: { readonly createdAt: Date; readonly uuid: string } | undefined;
  readonly limit: number;
}

/** The store of vCons. A write has committed when it answers. */
export interface VconStore {
  /** @throws vcon_not_found */
  get(uuid: string): Promise<StoredVcon>;
  /** Those of the given uuids that are stored. */
  getMany(uuids: readonly string[]): Promise<ReadonlyMap<string, StoredVcon>>;
  /**
   * Inserts or replaces.
   * @throws revision_mismatch when the condition does not hold
   */
  put(
    write: VconWrite,
    condition?: WriteCondition,
  ): Promise<{ readonly revision: number; readonly created: boolean }>;
  /**
   * Deletes. Answers false when there was nothing to delete.
   * @throws revision_mismatch when the condition does not hold
   */
  delete(uuid: string, condition?: WriteCondition): Promise<boolean>;
  /** Newest first, by the time the conversation was created. */
  list(filter: VconFilter): Promise<readonly VconListing[]>;

  /**
   * Locks what the changes were computed from, as part of a transaction.
   * @returns the uuids that have changed, or gone, since
   */
  lockForChange(
    tx: Transaction,
    expected: readonly { readonly uuid: string; readonly revision: number; readonly generation: number }[],
  ): Promise<ReadonlySet<string>>;
  /** Writes changes as part of a transaction; call `lockForChange` first. */
  writeIn(tx: Transaction, changes: readonly VconChange[]): Promise<void>;
}
