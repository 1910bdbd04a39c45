import { sql } from "kysely";
import type { Viewer } from "../access/principal.ts";
import { visible } from "../access/visible.ts";
import type { Database, Executor, Transaction } from "../database/database.ts";
import { VconductorError } from "../errors.ts";
import type { VconAccess, VconGrant } from "./vcon-store.ts";

/** Who may do what with a vCon; undefined when the viewer does not see it. */
export async function readAccess(
  database: Database,
  { uuid, viewer }: { readonly uuid: string; readonly viewer: Viewer },
): Promise<VconAccess | undefined> {
  return await database.run(async (db) => {
    const { rows } = await sql<VconAccess>`
      select tenant, restricted, coalesce(
        (select jsonb_agg(jsonb_build_object('grantee', grantee, 'permissions', permissions) order by grantee)
         from vconductor.vcon_grant g where g.uuid = vcon.uuid), '[]') as grants
      from vconductor.vcon where uuid = ${uuid} and ${visible(viewer, "read")}`.execute(db);
    return rows[0];
  });
}

/** Replaces it. @throws forbidden @returns whether the viewer sees the vCon */
export async function writeAccess(
  database: Database,
  { uuid, viewer, access }: { readonly uuid: string; readonly viewer: Viewer; readonly access: VconAccess },
): Promise<boolean> {
  return await database.transaction(async (tx) => {
    const { rows } = await sql<{ tenant: string; writable: boolean }>`
      select tenant, ${visible(viewer, "write")} as writable
      from vconductor.vcon where uuid = ${uuid} and ${visible(viewer, "read")} for update`.execute(tx);
    const [current] = rows;
    if (current === undefined) return false;
    if (!viewer.all && !(current.writable && current.tenant === viewer.tenant)) {
      throw new VconductorError("forbidden", `vCon UUID: ${uuid}: only its own tenant says who may see it`);
    }
    if (!viewer.all && access.tenant !== current.tenant) {
      throw new VconductorError(
        "forbidden",
        `vCon UUID: ${uuid}: only an administrator gives it to another tenant`,
      );
    }
    await tx
      .updateTable("vconductor.vcon")
      .set({ tenant: access.tenant, restricted: access.restricted })
      .where("uuid", "=", uuid)
      .execute();
    await tx.deleteFrom("vconductor.vcon_grant").where("uuid", "=", uuid).execute();
    await insertGrants(tx, { uuid, grants: access.grants });
    return true;
  });
}

async function insertGrants(
  db: Executor,
  { uuid, grants }: { readonly uuid: string; readonly grants: readonly VconGrant[] },
): Promise<void> {
  if (grants.length === 0) return;
  const rows = grants.map(({ grantee, permissions }) => ({ uuid, grantee, permissions: [...permissions] }));
  await db.insertInto("vconductor.vcon_grant").values(rows).execute();
}

/** Has vCons that were just made be seen by those who see another one. */
export async function copyAccess(
  tx: Transaction,
  pairs: readonly { readonly uuid: string; readonly like: string }[],
): Promise<void> {
  if (pairs.length === 0) return;
  const given = JSON.stringify(pairs);
  await sql`
    with given as (select * from jsonb_to_recordset(${given}::jsonb) as g (uuid text, "like" text)),
    changed as (
      update vconductor.vcon set tenant = source.tenant, restricted = source.restricted
      from given join vconductor.vcon source on source.uuid = given."like"
      where vcon.uuid = given.uuid
        and (vcon.tenant, vcon.restricted) is distinct from (source.tenant, source.restricted)
    )
    insert into vconductor.vcon_grant (uuid, grantee, permissions)
    select given.uuid, g.grantee, g.permissions
    from given join vconductor.vcon_grant g on g.uuid = given."like"
    on conflict do nothing`.execute(tx);
}
