import type { JsonObject, VconForm } from "@vconductor/vcon";
import type { Viewer } from "../access/principal.ts";
import type { Permission } from "../access/visible.ts";
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

/** Whose eyes to look with. What they may not see is not there. */
export interface Look {
  readonly viewer: Viewer;
  /** What they want to do. Default: read */
  readonly to?: Permission;
}

/** Who may do what with a vCon. */
export interface VconAccess {
  readonly tenant: string;
  /** The tenant's own need a grant as well. */
  readonly restricted: boolean;
  readonly grants: readonly VconGrant[];
}

export interface VconGrant {
  /** The id of a principal, or `group:` and the name of a group. */
  readonly grantee: string;
  readonly permissions: readonly Permission[];
}

/** What must hold for a write or delete to go ahead (`If-Match`, `If-None-Match: *`). */
export interface WriteCondition {
  /** Only over one of these revisions; `*` for any that exists. */
  readonly ifMatch?: readonly number[] | "*" | undefined;
  /** Only if no vCon has this uuid. */
  readonly ifAbsent?: boolean | undefined;
}

/** A change by a pipeline. */
export interface VconChange extends VconWrite {
  /** What it was computed from; undefined for a vCon that the pipeline made. */
  readonly stored: { readonly revision: number; readonly generation: number } | undefined;
  readonly viewer: Viewer;
  /** A new vCon is to be seen by those who see this one. Default: it is its viewer's tenant's */
  readonly like?: string | undefined;
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
  readonly viewer: Viewer;
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

/**
 * The store of vCons, for somebody: what the viewer may not see counts as not there. A write has committed when it
 * answers.
 */
export interface VconStore {
  /** @throws vcon_not_found */
  get(uuid: string, look: Look): Promise<StoredVcon>;
  /** Those of the given uuids that are stored. */
  getMany(uuids: readonly string[], look: Look): Promise<ReadonlyMap<string, StoredVcon>>;
  /**
   * Inserts or replaces; a new one is the viewer's tenant's.
   * @throws revision_mismatch when the condition does not hold
   * @throws forbidden the uuid is that of a vCon which the viewer may not write
   */
  put(
    write: VconWrite,
    options: WriteCondition & { readonly viewer: Viewer },
  ): Promise<{ readonly revision: number; readonly created: boolean }>;
  /**
   * Deletes. Answers false when there was nothing to delete.
   * @throws revision_mismatch when the condition does not hold
   */
  delete(uuid: string, options: WriteCondition & { readonly viewer: Viewer }): Promise<boolean>;
  /** @throws vcon_not_found */
  access(uuid: string, viewer: Viewer): Promise<VconAccess>;
  /**
   * Replaces who may do what. Only the tenant's own may, and of those only who may write it; and only who sees all may
   * give it to another tenant.
   * @throws vcon_not_found, forbidden
   */
  setAccess(uuid: string, options: { readonly viewer: Viewer; readonly access: VconAccess }): Promise<void>;
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
  /**
   * Writes changes as part of a transaction; call `lockForChange` first.
   * @throws forbidden a viewer may not write one of them
   */
  writeIn(tx: Transaction, changes: readonly VconChange[]): Promise<void>;
}
