import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { UsageLedger, UsageSum } from "./usage-ledger.ts";

interface SumRow {
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly audio_seconds: number;
  readonly cost: number;
  readonly unpriced: number;
}

const sums = sql`
  count(*) as calls,
  coalesce(sum(input_tokens), 0)::bigint as input_tokens,
  coalesce(sum(output_tokens), 0)::bigint as output_tokens,
  coalesce(sum(audio_seconds), 0) as audio_seconds,
  coalesce(sum(cost), 0) as cost,
  count(*) filter (where cost is null) as unpriced`;

/** The ledger in the database of queues, jobs and runs. */
export function postgresUsageLedger(database: Database): UsageLedger {
  return {
    async record({ entry, keep }) {
      await database.transaction(async (tx) => {
        await tx
          .insertInto("vconductor.usage")
          .values({
            queue: entry.queue ?? null,
            run_id: entry.runId ?? null,
            processor: entry.processor,
            provider: entry.provider,
            model: entry.model,
            input_tokens: entry.inputTokens ?? 0,
            output_tokens: entry.outputTokens ?? 0,
            audio_seconds: entry.audioSeconds ?? 0,
            cost: entry.cost ?? null,
          })
          .execute();
        if (keep === undefined) return;
        const { jobId, key, answer } = keep;
        // A job that was deleted meanwhile needs no answer any more: the usage still counts.
        await sql`
          insert into vconductor.paid_answer (job_id, key, answer)
          select id, ${key}, ${answer} from vconductor.job where id = ${jobId}
          on conflict (job_id, key) do nothing`.execute(tx);
      });
    },

    async kept({ jobId, key }) {
      const row = await database.run((db) =>
        db
          .selectFrom("vconductor.paid_answer")
          .select("answer")
          .where("job_id", "=", jobId)
          .where("key", "=", key)
          .executeTakeFirst(),
      );
      return row?.answer;
    },

    async ofQueue({ queue, since }) {
      const { rows } = await database.run((db) =>
        sql<SumRow>`select ${sums} from vconductor.usage where queue = ${queue} and at >= ${since}`.execute(
          db,
        ),
      );
      return toSum(rows[0]);
    },

    async ofRuns(runIds) {
      if (runIds.length === 0) return new Map();
      const { rows } = await database.run((db) =>
        sql<SumRow & { run_id: number }>`
          select run_id, ${sums} from vconductor.usage
          where run_id = any (${[...runIds]}::bigint[]) group by run_id`.execute(db),
      );
      return new Map(rows.map((row) => [row.run_id, toSum(row)]));
    },

    async summary({ since, until, queue }) {
      const only = queue === undefined ? sql`` : sql`and queue = ${queue}`;
      const { rows } = await database.run((db) =>
        sql<SumRow & { day: string; queue: string | null; provider: string; model: string }>`
          select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, queue, provider, model, ${sums}
          from vconductor.usage where at >= ${since} and at < ${until} ${only}
          group by 1, 2, 3, 4 order by 1 desc, 2, 3, 4 limit 10000`.execute(db),
      );
      return rows.map(({ day, queue: name, provider, model, ...row }) => ({
        day,
        queue: name,
        provider,
        model,
        ...toSum(row),
      }));
    },

    async purge(olderThanDays) {
      await database.run((db) =>
        sql`delete from vconductor.usage where at < now() - ${olderThanDays} * interval '1 day'`.execute(db),
      );
    },
  };
}

function toSum(row: SumRow | undefined): UsageSum {
  return {
    calls: row?.calls ?? 0,
    inputTokens: row?.input_tokens ?? 0,
    outputTokens: row?.output_tokens ?? 0,
    audioSeconds: row?.audio_seconds ?? 0,
    cost: row?.cost ?? 0,
    unpriced: row?.unpriced ?? 0,
  };
}
