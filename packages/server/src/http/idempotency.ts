import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
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

  // Callbacks, so that requests without a key pass at no cost.
  app.addHook("preHandler", (request, reply, done) => {
    const key = request.headers["idempotency-key"];
    const counts = request.method === "POST" || request.method === "PUT";
    // A request for nowhere has no effect to repeat; a redirected one comes again with the same key.
    if (key === undefined || !counts || request.is404) return done();
    replayOrBegin({ database, request, reply, key: String(key) }).then((replayed) => {
      if (!replayed) done();
    }, done);
  });

  app.addHook("onSend", (request, reply, payload, done) => {
    const key = request.idempotencyKey;
    if (key === undefined) return done(null, payload);
    request.idempotencyKey = undefined;
    const body = typeof payload === "string" ? payload : null;
    keep({ database, key, reply, body }).then(
      () => done(null, payload),
      (error: unknown) => {
        // The work is done and the caller should know; a repeat will find the request under way, then abandoned.
        request.log.error({ err: error, id: request.id }, "the answer could not be kept for a repeat");
        done(null, payload);
      },
    );
  });
}

/** Answers with whether this was a repeat, which then has its answer. */
async function replayOrBegin(options: {
  readonly database: Database;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly key: string;
}): Promise<boolean> {
  const { database, request, reply, key } = options;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new VconductorError("invalid_request", "Idempotency-Key should be 1 to 255 printable characters");
  }
  // A key is its sender's: nobody gets the answer to another's request.
  const sender = request.caller?.via === "none" ? "" : `${request.caller?.id ?? ""}\n`;
  const own = `${sender}${key}`;
  const fingerprint = fingerprintOf(request);
  const row = await begin(database, { key: own, fingerprint });
  if (row.fingerprint !== fingerprint) {
    throw new VconductorError("idempotency_key_reused", "This Idempotency-Key was used for another request");
  }
  if (row.mine) {
    request.idempotencyKey = own;
    holdWhileUnderWay({ database, key: own, reply });
    return false;
  }
  if (row.status === null) {
    const message = "The first request with this Idempotency-Key is still under way";
    throw new VconductorError("conflict", message, { retryAfter: 1 });
  }
  reply
    .code(row.status)
    .headers({ ...row.headers, "idempotency-replayed": "true" })
    .send(row.body ?? undefined);
  return true;
}

/** A request may take long: its claim stays fresh until it has been answered. */
function holdWhileUnderWay(claim: {
  readonly database: Database;
  readonly key: string;
  readonly reply: FastifyReply;
}): void {
  const { database, key, reply } = claim;
  const refresh = () =>
    database
      .run((db) =>
        sql`update vconductor.idempotent_request set created_at = now()
          where key = ${key} and status is null`.execute(db),
      )
      .catch(() => {});
  const timer = setInterval(() => void refresh(), (abandonedAfterSeconds * 1000) / 4).unref();
  reply.raw.once("close", () => clearInterval(timer));
}

async function keep(answer: {
  readonly database: Database;
  readonly key: string;
  readonly reply: FastifyReply;
  readonly body: string | null;
}): Promise<void> {
  const { database, key, reply, body } = answer;
  const status = reply.statusCode;
  if (status >= 500) {
    await database.run((db) =>
      db.deleteFrom("vconductor.idempotent_request").where("key", "=", key).execute(),
    );
    return;
  }
  const kept = keptHeaders.flatMap((name) =>
    reply.hasHeader(name) ? [[name, String(reply.getHeader(name))]] : [],
  );
  const headers = JSON.stringify(Object.fromEntries(kept));
  await database.run((db) =>
    db
      .updateTable("vconductor.idempotent_request")
      .set({ status, headers, body })
      .where("key", "=", key)
      .execute(),
  );
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
