import { type Kysely, sql } from "kysely";

/** Large values of jobs, in the media store. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements: readonly string[] = [
  // What was put there. It goes once none of the five columns below has a pointer to it, which is an object {"$kept": {"name": …}}.
  `create table vconductor.kept_value (
     name text primary key,
     size bigint not null,
     kept_at timestamptz not null default now()
   )`,
  `create index job_kept on vconductor.job ((payload #>> '{$kept,name}')) where payload ? '$kept'`,
  `create index run_kept_payload on vconductor.run ((job #>> '{payload,$kept,name}')) where job -> 'payload' ? '$kept'`,
  `create index run_kept_result on vconductor.run ((result #>> '{$kept,name}')) where result ? '$kept'`,
  `create index sisyphus_job_kept on vconductor.sisyphus_job ((info #>> '{$kept,name}')) where info ? '$kept'`,
  `create index gateway_request_kept on vconductor.gateway_request ((answer #>> '{result,$kept,name}'))
     where answer -> 'result' ? '$kept'`,
];
