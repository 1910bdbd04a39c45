import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import { forgetOld } from "../src/retention.ts";
import { startApi, type TestApi } from "./http/start-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

it("what other systems' jobs left goes with the runs, and nothing that is younger or not done", async () => {
  const { queueDatabase } = api.stores;
  await queueDatabase.run(async (db) => {
    await sql`insert into vconductor.sisyphus_job (id, tenant, document, state, finished_at) values
      ('old', 't', '{}', 'completed', now() - interval '31 days'), ('new', 't', '{}', 'failed', now() - interval '29 days'),
      ('queued', 't', '{}', 'queued', null)`.execute(db);
    await sql`insert into vconductor.gateway_request (id, tenant, service, job_id, created_at) values
      ('00000000-0000-4000-8000-000000000001', 't', 'old', 1, now() - interval '61 days'),
      ('00000000-0000-4000-8000-000000000002', 't', 'new', 2, now() - interval '59 days')`.execute(db);
    await sql`insert into vconductor.remote_worker (tenant, face, id, disabled, last_seen) values
      ('t', 'remote', 'old', false, now() - interval '31 days'), ('t', 'remote', 'new', false, now()),
      ('t', 'remote', 'disabled', true, now() - interval '31 days')`.execute(db);
  });
  await forgetOld(api.stores, { days: 30 });
  const { rows } = await queueDatabase.run((db) =>
    sql<{ jobs: string[]; requests: string[]; workers: string[] }>`select
      (select json_agg(id order by id) from vconductor.sisyphus_job) as jobs,
      (select json_agg(service order by service) from vconductor.gateway_request) as requests,
      (select json_agg(id order by id) from vconductor.remote_worker) as workers`.execute(db),
  );
  expect(rows).toEqual([{ jobs: ["new", "queued"], requests: ["new"], workers: ["disabled", "new"] }]);
});
