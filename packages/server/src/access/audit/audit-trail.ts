import type { JsonValue } from "@vconductor/vcon";
import type { Transaction } from "../../database/database.ts";
import type { Principal } from "../principal.ts";

/** Who did what to which vCon, from where. */
export interface AuditEntry {
  readonly principal: Pick<Principal, "id" | "name" | "via" | "tenant">;
  /** The operation of the API (`get_vcon`), or what a worker did (`run.read`, `run.write`). */
  readonly action: string;
  /** The uuid of the vCon. */
  readonly vcon?: string | undefined;
  /** What else it was done to: a queue, a pipeline, a token … */
  readonly target?: string | undefined;
  /** Where the request came from. */
  readonly address?: string | undefined;
  /** The id of the request, as in the log. */
  readonly request?: string | undefined;
  readonly run?: number | undefined;
  /** The status of the answer. */
  readonly status?: number | undefined;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
}

/** An entry as it was recorded. */
export type AuditRecord = {
  readonly id: number;
  /** RFC 3339, with microseconds. */
  readonly at: string;
  readonly principal: string;
  readonly principal_name: string;
  readonly via: string;
  readonly tenant: string;
  readonly action: string;
  readonly vcon: string | null;
  readonly target: string | null;
  readonly address: string | null;
  readonly request: string | null;
  readonly run: number | null;
  readonly status: number | null;
  readonly detail: JsonValue;
  /** Its place in the chain, from 1; null until it has one, a second or so later. */
  readonly position: number | null;
  readonly hash: string | null;
};

export interface AuditFilter {
  readonly vcon?: string | undefined;
  readonly principal?: string | undefined;
  readonly tenant?: string | undefined;
  readonly action?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

/** The end of the chain at some moment: whoever has noted it can tell later whether it is still in there. */
export interface ChainHead {
  readonly position: number;
  readonly hash: string;
}

export interface AuditVerdict {
  /** Undefined for an empty trail. */
  readonly head: ChainHead | undefined;
  /** What is wrong, and where; undefined when all is well. */
  readonly mistake: string | undefined;
  /** How many are not chained yet although they have been there for more than a minute. */
  readonly late: number;
}

/** The record of who did what. Nothing in it is ever changed or deleted. */
export interface AuditTrail {
  /** It has committed when this answers. */
  record(entry: AuditEntry): Promise<void>;
  /** Records as part of a transaction of the vCon database. */
  recordIn(tx: Transaction, entries: readonly AuditEntry[]): Promise<void>;
  /** Newest first, those before the id `before`. */
  list(
    filter: AuditFilter & { readonly limit: number; readonly before?: number | undefined },
  ): Promise<readonly AuditRecord[]>;
  /** Oldest first, all of them. */
  export(filter: AuditFilter): AsyncIterable<AuditRecord>;
  /** Gives those that have none their place in the chain. Answers with how many. */
  chain(): Promise<number>;
  /** Walks the whole chain. @param expected heads that were noted earlier, each of which must still be in there */
  verify(expected?: readonly ChainHead[]): Promise<AuditVerdict>;
}
