import { createHash } from "node:crypto";
import { canonicalJson } from "../../canonical-json.ts";
import type { AuditRecord } from "./audit-trail.ts";

/** What the first record follows. */
export const noHash = "0".repeat(64);

/** SHA-256, in hex, of the hash before and of the record with its position, in canonical JSON (RFC 8785). */
export function chainHash(previous: string, record: AuditRecord): string {
  const { hash: _, ...counted } = record;
  return createHash("sha256")
    .update(`${previous}\n${canonicalJson(counted)}`)
    .digest("hex");
}
