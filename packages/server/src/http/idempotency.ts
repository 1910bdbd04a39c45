import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { VconductorError } from "../errors.ts";
import type { App } from "./app.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The key under which this request's answer is to be kept. */
    idempotencyKey: string | undefined;
  }
}

/** A request that has been under way this long is taken for abandoned (its server died): a repeat may run. */
const abandonedAfterSeconds = 60;
const keptHeaders = ["content-type", "etag", "location", "vconductor-job-id"];

interface Row {
  readonly fingerprint: string;
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: string | null;
  readonly mine: boolean;
}

/**
 * `Idempotency-Key` on POST and PUT: a repeat of a request that was answered gets the same answer and does nothing.
 * Answers are kept for a day; those of the server's own failures (5xx) are not, so that a repeat tries again.
 */
export function addIdempotency(app: App, database: Database): void {
  app.decorateRequest("idempotencyKey", undefined);

  app.addHook("preHandler", async (request, reply) => {
    const key = request.headers["idempotency-key"];
    if (key === undefined || (request.method !== "POST" && request.method !== "PUT")) return;
    if (typeof key !== "string" || !/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new VconductorError("invalid_request", "Idempotency-Key should be 1 to 255 printable characters");
    }
    const fingerprint = fingerprintOf(request);
    const row = await begin(database, { key, fingerprint });
    if (row.fingerprint !== fingerprint) {
      throw new VconductorError(
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request",
      );
    }
    if (row.mine) {
      request.idempotencyKey = key;
      return;
    }
    if (row.status === null) {
      throw new VconductorError(
        "conflict",
        "The first request with this Idempotency-Key is still under way",
        {
          retryAfter: 1,
        },
      );
    }
    return reply
      .code(row.status)
      .headers({ ...row.headers, "idempotency-replayed": "true" })
      .send(row.body ?? undefined);
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const key = request.idempotencyKey;
    if (key === undefined) return payload;
    request.idempotencyKey = undefined;
    const status = reply.statusCode;
    if (status >= 500) {
      await database.run((db) =>
        db.deleteFrom("vconductor.idempotent_request").where("key", "=", key).execute(),
      );
      return payload;
    }
    const headers = Object.fromEntries(
      keptHeaders.flatMap((name) => (reply.hasHeader(name) ? [[name, String(reply.getHeader(name))]] : [])),
    );
    await database.run((db) =>
      db
        .updateTable("vconductor.idempotent_request")
        .set({ status, headers: JSON.stringify(headers), body: typeof payload === "string" ? payload : null })
        .where("key", "=", key)
        .execute(),
    );
    return payload;
  });
}

/** Claims the key for this request, or answers with what is known of the request that holds it. */
async function begin(
  database: Database,
  options: { readonly key: string; readonly fingerprint: string },
): Promise<Row> {
  const { key, fingerprint } = options;
  const claimed = await database.run((db) =>
    sql<Row>`
      insert into vconductor.idempotent_request as held (key, fingerprint) values (${key}, ${fingerprint})
      on conflict (key) do update set created_at = now()
        where held.status is null and held.fingerprint = excluded.fingerprint
          and held.created_at < now() - ${abandonedAfterSeconds} * interval '1 second'
      returning fingerprint, status, headers, body, true as mine`.execute(db),
  );
  const [mine] = claimed.rows;
  if (mine !== undefined) return mine;
  const { rows } = await database.run((db) =>
    sql<Row>`
      select fingerprint, status, headers, body, false as mine
      from vconductor.idempotent_request where key = ${key}`.execute(db),
  );
  // It may have failed and been forgotten in between.
  return rows[0] ?? (await begin(database, options));
}

function fingerprintOf(request: FastifyRequest): string {
  return createHash("sha256")
    .update(`${request.method} ${request.url}\n`)
    .update(request.bodyText ?? "")
    .digest("base64url");
}
