import { type RawBuilder, sql } from "kysely";
import { DEFAULT_TENANT, type Viewer } from "./principal.ts";

/** What an access list gives. `process`: to run pipelines on it; saving what they change takes `write` as well. */
export const permissions = ["read", "write", "delete", "process"] as const;
export type Permission = (typeof permissions)[number];

/**
 * Whether the viewer may do this with a row of `vconductor.vcon`, as a condition for `where`. All statements that read,
 * change or delete vCons for somebody have it. A vCon is its tenant's, unless it is restricted; grants give it to
 * others, and to the tenant's own if it is.
 */
export function visible(viewer: Viewer, permission: Permission): RawBuilder<boolean> {
  const { all, tenant, grantees, addsOnly } = viewer;
  if (addsOnly === true) return sql<boolean>`false`;
  if (all) return sql<boolean>`true`;
  return sql<boolean>`((vcon.tenant = ${tenant} and not vcon.restricted) or exists (
    select from vconductor.vcon_grant g where g.uuid = vcon.uuid
      and g.grantee = any (${[...grantees]}::text[]) and ${permission} = any (g.permissions)))`;
}

/** Whether a row with a `tenant` (a job, a run) is the viewer's to see and to change, or a pipeline or queue to change. */
export function own({ all, tenant }: Viewer): RawBuilder<boolean> {
  return all ? sql<boolean>`true` : sql<boolean>`tenant = ${tenant}`;
}

/** Whether the viewer may use a pipeline or a queue: its tenant's own, and those of the default tenant, which are for all. */
export function usable({ all, tenant }: Viewer): RawBuilder<boolean> {
  return all ? sql<boolean>`true` : sql<boolean>`tenant in (${tenant}, ${DEFAULT_TENANT})`;
}
