import { sql } from "kysely";
import { Database, type Transaction } from "../database/database.ts";
import { VconductorError } from "../errors.ts";

export interface SourcePipeline {
  readonly id: number;
  readonly name: string;
  readonly uri: string;
  readonly version: string;
}

export interface SourceToken {
  readonly id: number;
  readonly token: string;
  readonly description: string;
  readonly pipeline_id: number | null;
  readonly issued: Date;
  readonly revoked: boolean;
}

/** As it is in the table, which takes all kinds of things. */
export interface SourceTask {
  /** 1 for the one that npg_porch would hand out first. */
  readonly place: number;
  readonly task_id: number;
  readonly pipeline_id: number | null;
  readonly job_descriptor: string | null;
  readonly definition: string | null;
  readonly state: string | null;
  readonly created: Date;
  readonly updated: Date;
  /** The number of the last thing that happened to it. */
  readonly last_event: number | null;
}

export interface SourceEvent {
  readonly event_id: number;
  /** Of its task. */
  readonly place: number;
  readonly task_id: number;
  readonly time: Date;
  readonly change: string;
  readonly token_id: number | null;
}

/** The database of an npg_porch, at one moment. Times without a zone are in its time zone. */
export interface NpgPorch {
  pipelines(): Promise<readonly SourcePipeline[]>;
  tokens(): Promise<readonly SourceToken[]>;
  /** So many at a time, with what happened to them, oldest first. */
  tasks(): AsyncIterable<{ readonly rows: readonly SourceTask[]; readonly history: readonly SourceEvent[] }>;
}

interface Place {
  /** postgres://user:password@host/database */
  readonly url: string;
  readonly schema: string;
}

const batchSize = 1000;

/** Does something with an npg_porch. @throws bad_request in a sentence: why it cannot be read */
export async function withNpgPorch<Result>(
  place: Place,
  act: (source: NpgPorch) => Promise<Result>,
): Promise<Result> {
  const url = addressIn(place.url);
  const database = new Database({ url: url.href, poolSize: 1, application: "vconductor porch import" });
  const asking = async <Answer>(question: Promise<Answer>): Promise<Answer> => {
    try {
      return await question;
    } catch (error) {
      throw new VconductorError("bad_request", whyNot(error, { url, schema: place.schema }), {
        cause: error,
      });
    }
  };
  try {
    await asking(database.start());
    return await database.transaction(async (tx) => {
      // One moment, however long it takes; and all of it is wanted, not the first rows soon.
      await asking(
        sql`set transaction isolation level repeatable read, read only; set local cursor_tuple_fraction = 1`.execute(
          tx,
        ),
      );
      return await act(reading(tx, sql.ref(place.schema), asking));
    });
  } finally {
    await database.stop();
  }
}

function reading(
  tx: Transaction,
  schema: ReturnType<typeof sql.ref>,
  asking: <Answer>(question: Promise<Answer>) => Promise<Answer>,
): NpgPorch {
  const read = async <Row>(query: ReturnType<typeof sql<Row>>) => (await asking(query.execute(tx))).rows;
  const fetch = <Row>(cursor: string) =>
    read(sql<Row>`fetch ${sql.raw(String(batchSize))} from ${sql.ref(cursor)}`);
  return {
    pipelines: () =>
      read(sql<SourcePipeline>`select pipeline_id::bigint as id, name, repository_uri as uri, version
        from ${schema}.pipeline order by pipeline_id`),

    tokens: () =>
      read(sql<SourceToken>`select token_id::bigint as id, token, description, pipeline_id::bigint,
          coalesce(date_issued::timestamptz, now()) as issued, date_revoked is not null as revoked
        from ${schema}.token where token is not null order by token_id`),

    async *tasks() {
      // Each table is read once, from end to end: the events have no index by task.
      await read(sql`declare source_tasks no scroll cursor for
        select row_number() over (order by t.created, t.task_id) as place, t.task_id::bigint, t.pipeline_id::bigint,
          t.job_descriptor, t.definition::text as definition, t.state::text as state,
          coalesce(t.created::timestamptz, now()) as created,
          coalesce(e.last::timestamptz, t.created::timestamptz, now()) as updated, e.last_event
        from ${schema}.task t
        left join (select task_id, max(time) as last, max(event_id)::bigint as last_event from ${schema}.event
          group by task_id) e on e.task_id = t.task_id
        order by place`);
      await read(sql`declare source_events no scroll cursor for
        select e.event_id::bigint, t.place, e.task_id::bigint, coalesce(e.time::timestamptz, now()) as time,
          coalesce(e.change, '') as change, e.token_id::bigint
        from ${schema}.event e
        join (select task_id, row_number() over (order by created, task_id) as place from ${schema}.task) t
          on t.task_id = e.task_id
        order by t.place, e.event_id`);
      let ahead: readonly SourceEvent[] = [];
      for (;;) {
        const rows = await fetch<SourceTask>("source_tasks");
        const last = rows.at(-1)?.place;
        if (last === undefined) return;
        const history: SourceEvent[] = [];
        for (;;) {
          if (ahead.length === 0) ahead = await fetch<SourceEvent>("source_events");
          const of = ahead.filter(({ place }) => place <= last);
          history.push(...of);
          ahead = ahead.slice(of.length);
          if (ahead.length > 0 || of.length === 0) break;
        }
        yield { rows, history };
      }
    },
  };
}

/** @throws bad_request it is no such address */
function addressIn(text: string): URL {
  // SQLAlchemy's spelling names a driver, which is no part of the address.
  const url = URL.parse(text.replace(/^(postgres(?:ql)?)\+\w+:/, "$1:"));
  if (url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1) return url;
  throw new VconductorError(
    "bad_request",
    "That is not the address of a database: it should be like postgres://user:password@host/database",
  );
}

/** In one sentence, without the password. */
function whyNot(error: unknown, { url, schema }: { readonly url: URL; readonly schema: string }): string {
  const [host, user] = [url.host || "this machine", url.username || "of this process"];
  const name = url.pathname.slice(1);
  const { code, message } = reasonOf(error);
  if (/^28/.test(code) || /SASL|password/.test(message)) {
    return `The database server at ${host} does not let in the user ${user} with this password.`;
  }
  if (code === "3D000") return `The database server at ${host} has no database ${name}.`;
  if (code === "3F000" || code === "42P01" || code === "42703") {
    return `The database ${name} has no tables of npg_porch in its schema ${schema}; --schema names another one.`;
  }
  if (code === "42501") return `The user ${user} may not read the tables in the schema ${schema} of ${name}.`;
  if (/^E[A-Z_]+$/.test(code) || /timeout|terminated/.test(message)) {
    return `The database server at ${host} does not answer (${code || message}). What has been copied stays.`;
  }
  return `The database ${name} at ${host} cannot be read: ${message}`;
}

function reasonOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof VconductorError && error.cause !== undefined) return reasonOf(error.cause);
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return { code: "", message: String(error) };
  return {
    code: "code" in error && typeof error.code === "string" ? error.code : "",
    message: error.message,
  };
}
