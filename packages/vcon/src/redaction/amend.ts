import { writeDate } from "../document/dates.ts";
import { withoutMember } from "../document/json-edit.ts";
import type { Vcon } from "../document/types.ts";
import { newUuid } from "../document/uuid.ts";

export interface NewVconOptions {
  /** For the uuid of the new vCon, for example "support.example.com". */
  readonly domain: string;
  /** Default: made of `domain` */
  readonly uuid?: string;
  /** Milliseconds since 1970. Default: the clock */
  readonly now?: number;
}

/**
 * A copy with a uuid of its own that says which vCon it amends: what is to be added goes into the copy, and the
 * original stays as it was. `redacted` does not come along, because the draft allows one of the two only.
 */
export async function amend(vcon: Vcon, { domain, uuid, now = Date.now() }: NewVconOptions): Promise<Vcon> {
  const copy = structuredClone(withoutMember(vcon, "redacted"));
  return {
    ...copy,
    uuid: uuid ?? (await newUuid({ domain })),
    amended: { uuid: vcon.uuid },
    updated_at: writeDate(now),
  };
}
