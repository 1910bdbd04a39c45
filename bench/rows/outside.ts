import { createHash, randomBytes } from "node:crypto";
import { loop } from "../load.ts";
import { measureLoops } from "../rounds.ts";
import type { Bench, Measured, Row } from "../row.ts";

// Work from outside: remote workers, and the once-only ledger.

const queue = "bench-remote";
const workers = 16;
const batch = 10;
const pipeline = { name: "bench", uri: "http://bench", version: "1" };

/** Each worker takes a job, and completes it, one after the other. */
async function claimAndComplete(bench: Bench): Promise<Measured> {
  await bench.server.call("POST", `/queue/${queue}?kind=remote`);
  try {
    return await measureLoops(bench, {
      lanes: workers,
      // More than can be done meanwhile.
      prepare: () => addJobs(bench, Math.ceil(bench.plan.roundMs * 6)),
      once: async (send, lane) => {
        const claimed = await send("POST", `/work/${queue}/claim`, { worker: `w${lane}`, count: 1 });
        const [job]: readonly { run_id: number }[] = Object(claimed).jobs;
        if (job === undefined) throw new Error("the jobs did not last");
        await send("POST", `/work/runs/${job.run_id}/complete`, { result: { ok: true } });
        return 1;
      },
    });
  } finally {
    await bench.server.call("DELETE", `/queue/${queue}`);
  }
}

async function addJobs({ sql }: Bench, count: number): Promise<void> {
  await sql(`insert into vconductor.job (queue, job_type, vcon_uuids, payload)
    select '${queue}', 'bench', '{}', to_jsonb(n) from generate_series(1, ${count}) n`);
  // As autovacuum does within a minute.
  await sql("analyze vconductor.job, vconductor.run");
}

/** A token of the ledger, for the one pipeline. */
async function ledgerToken({ sql, server }: Bench): Promise<string> {
  const [admin, own] = [randomBytes(16).toString("hex"), randomBytes(16).toString("hex")];
  const hash = (text: string) => `'\\x${createHash("sha256").update(text).digest("hex")}'`;
  await sql(`insert into vconductor.porch_token (hash, description) values (${hash(admin)}, 'bench')`);
  await fetch(`${server.url}/porch/pipelines/`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${admin}` },
    body: JSON.stringify(pipeline),
  });
  await sql(`insert into vconductor.porch_token (hash, description, pipeline_id)
    select ${hash(own)}, 'bench', id from vconductor.porch_pipeline where name = '${pipeline.name}'`);
  return own;
}

let registered = 0;
const nextTask = () => ({ pipeline, task_input: { number: ++registered, of: "bench" }, status: "PENDING" });

async function registerTasks(bench: Bench): Promise<Measured> {
  const token = await ledgerToken(bench);
  return await measureLoops(bench, {
    lanes: bench.plan.connections,
    token,
    once: async (send) => {
      await send("POST", "/porch/tasks/", nextTask());
      return 1;
    },
  });
}

async function claimTasks(bench: Bench): Promise<Measured> {
  const token = await ledgerToken(bench);
  const register = (count: number) =>
    loop({
      signal: bench.signal,
      url: bench.server.url,
      lanes: bench.plan.connections,
      durationMs: 600_000,
      most: count,
      token,
      once: async (send) => {
        await send("POST", "/porch/tasks/", nextTask());
        return 1;
      },
    });
  return await measureLoops(bench, {
    lanes: bench.plan.connections,
    token,
    prepare: async () => {
      await register(Math.ceil(bench.plan.claimedTasks));
    },
    once: async (send) =>
      Object(await send("POST", `/porch/tasks/claim?num_tasks=${batch}`, pipeline)).length,
  });
}

export const remote: Row = {
  name: "remote",
  title: `claim and complete a job (${workers} remote workers)`,
  unit: "/s",
  floor: 1500,
  raw: "insertsPerSecond",
  measure: claimAndComplete,
};

export const register: Row = {
  name: "register",
  title: "register a task in the once-only ledger (POST, 16 connections)",
  unit: "/s",
  floor: 2000,
  raw: "insertsPerSecond",
  measure: registerTasks,
};

export const claim: Row = {
  name: "claim",
  title: `claim tasks of the ledger, ${batch} at a time (16 connections)`,
  unit: "/s",
  floor: 5000,
  raw: "insertsPerSecond",
  measure: claimTasks,
};

/** The slowest of the three with many finished tasks, as a share of what it was without them. */
export const aged: Row = {
  name: "aged",
  title: "the slowest of these three with 1,000,000 finished tasks, as a share of without",
  unit: "%",
  floor: 80,
  async measure(bench) {
    const kinds = { remote: claimAndComplete, register: registerTasks, claim: claimTasks };
    const measureAll = async () => {
      const results: Record<string, number> = {};
      for (const [name, measure] of Object.entries(kinds)) results[name] = (await measure(bench)).result;
      return results;
    };
    const before = await measureAll();
    await finishTasks(bench);
    const after = await measureAll();
    const shares = Object.keys(kinds).map((name) => (100 * (after[name] ?? 0)) / (before[name] ?? 1));
    const named = (prefix: string, results: Readonly<Record<string, number>>) =>
      Object.fromEntries(Object.entries(results).map(([name, value]) => [`${prefix}_${name}`, value]));
    return {
      result: Math.min(...shares),
      rounds: shares,
      details: { finished: bench.plan.finishedTasks, ...named("before", before), ...named("after", after) },
    };
  },
};

/** Tasks that were registered, claimed and done, with their runs and their history. */
async function finishTasks(bench: Bench): Promise<void> {
  const { sql, plan } = bench;
  await ledgerToken(bench);
  const step = Math.min(100_000, plan.finishedTasks);
  for (let from = 0; from < plan.finishedTasks; from += step) {
    await sql(`with t as (
        insert into vconductor.task (pipeline_id, input_id, input, state)
        select p.id, sha256(('done ' || n)::bytea), '{"done": ' || n || '}', 'DONE'
        from generate_series(${from + 1}, ${from + step}) n, vconductor.porch_pipeline p where p.name = '${pipeline.name}'
        on conflict do nothing returning id
      ), e as (
        insert into vconductor.task_event (task_id, change)
        select id, change from t, unnest(array['Created', 'Task claimed', 'Task changed, new status DONE']) change
      )
      insert into vconductor.run (kind, queue, job_id, job, vcon_uuids, attempt, worker, server, lease_until, finished_at, outcome)
      select 'task', 'porch/${pipeline.name}', -id, '{}', '{}', 1, 'bench', 'bench', now(), now(), 'done' from t`);
  }
  await sql("vacuum analyze vconductor.task");
  await sql("vacuum analyze vconductor.run");
  await sql("vacuum analyze vconductor.task_event");
}
