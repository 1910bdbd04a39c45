import { expect, test } from "vitest";
import { eventually } from "../setup/eventually.ts";
import { type Env, kill, openSite, type Site } from "./harness.ts";
import { defineWork, expectOnce, queueLoad, runs, untilEnded } from "./load.ts";

// vCons and queues in different databases, which no transaction spans.

const splits: readonly (readonly [string, (site: Site) => Promise<Env>])[] = [
  ["queues apart", async (site) => ({ QUEUE_DB_URL: await site.database() })],
  [
    "queues, pipelines and servers apart",
    async (site) => ({
      QUEUE_DB_URL: await site.database(),
      PIPELINE_DB_URL: await site.database(),
      STATE_DB_URL: await site.database(),
    }),
  ],
];

test.each(splits)(
  "%s: kill -9 of workers again and again under load leaves each effect once",
  async (_, split) => {
    const site = await openSite({ env: { NUM_WORKERS: "2", CRASH_LIMIT: "1000" } });
    const server = await site.start(await split(site));
    await defineWork(server.url, { processor: "mark", options: { ms: 5 } });
    const uuids = await queueLoad(server.url, 100);
    for (const done of [1, 10, 20, 30, 40, 50]) {
      await eventually(async () => (await runs(server.url, { outcome: "done" })).length >= done);
      const [victim = 0] = await eventually(() =>
        server.workers().length > 0 ? server.workers() : undefined,
      );
      kill(victim);
    }
    await untilEnded(server.url, uuids.length);
    await expectOnce(server.url, uuids);
    expect((await runs(server.url, { outcome: "crashed" })).length).toBeGreaterThan(0);
  },
);
