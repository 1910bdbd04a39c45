import type { FastifyRequest } from "fastify";
import { sql } from "kysely";
import type { Viewer } from "../../access/principal.ts";
import type { Database } from "../../database/database.ts";

/** Who polls. */
export interface Poller {
  readonly worker: string;
  /** It has said so itself. */
  readonly isCertain: boolean;
}

/**
 * Who polls, as far as it can be told: a poll does not say. A worker that sends its id as the user name is that one.
 * Otherwise it is the worker that last asked for its own status from the same address, within ten seconds, and has not
 * polled since: its client asks just before it polls. One that is disabled is taken only where no other asked, and goes on
 * counting: whoever polls there gets nothing. Two that ask at the same moment may be mistaken for one another; that
 * matters little, because a heartbeat that names the job says whose it is.
 */
export class Pollers {
  readonly #database: Database;

  /** @param database of the queues: all servers know what was asked of one */
  constructor(database: Database) {
    this.#database = database;
  }

  /** A worker has asked for its own status. */
  async asked({ tenant }: Viewer, { id, address }: { readonly id: string; readonly address: string }) {
    await this.#database.run((db) =>
      sql`update vconductor.remote_worker set asked_at = now(), asked_from = ${address}
        where tenant = ${tenant} and face = 'sisyphus' and id = ${id}`.execute(db),
    );
  }

  /** Who polls now. @returns undefined where nothing is known */
  async polls({ tenant }: Viewer, request: FastifyRequest): Promise<Poller | undefined> {
    const name = userNameIn(request);
    const { rows } = await this.#database.run((db) =>
      sql<{ id: string }>`
        update vconductor.remote_worker set asked_at = case when disabled then asked_at end
        where tenant = ${tenant} and face = 'sisyphus' and id = (
          select id from vconductor.remote_worker
          where tenant = ${tenant} and face = 'sisyphus'
            and (id = ${name} or (asked_from = ${request.ip} and asked_at > now() - interval '10 seconds'))
          order by id = ${name} desc, disabled, asked_at desc limit 1 for update)
        returning id`.execute(db),
    );
    const [row] = rows;
    return row === undefined ? undefined : { worker: row.id, isCertain: row.id === name };
  }
}

/** The user name of HTTP Basic; whether the password is good, the server knows already, if it asks for one. */
function userNameIn({ headers }: FastifyRequest): string {
  const [, basic = ""] = /^basic +(\S+) *$/i.exec(headers.authorization ?? "") ?? [];
  const [name = ""] = Buffer.from(basic, "base64").toString().split(":", 1);
  // No worker is called so in the database.
  return name.includes("\u0000") ? "" : name;
}
