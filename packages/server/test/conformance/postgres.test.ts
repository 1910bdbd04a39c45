import { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrate.ts";
import { openStores } from "../../src/stores.ts";
import { createDatabase } from "../setup/database.ts";
import { describeJobQueue } from "./job-queue.ts";
import { describeRemoteJobs } from "./remote-jobs.ts";
import { describeSuspension } from "./suspension.ts";
import { describeVconStore } from "./vcon-store.ts";

async function open() {
  const database = await createDatabase();
  const setup = new Database({ url: database.url, poolSize: 1 });
  await migrate(setup);
  await setup.stop();
  const { url } = database;
  const stores = openStores({
    urls: { vcons: url, queues: url, pipelines: url, state: url },
    poolSize: 10,
    leaseMs: 60_000,
    application: "conformance",
  });
  await stores.start();
  return {
    ...stores,
    transaction: stores.queueDatabase.transaction.bind(stores.queueDatabase),
    close: async () => {
      await stores.stop();
      await database.drop();
    },
  };
}

describeJobQueue("the job queue on PostgreSQL", open);
describeRemoteJobs("remote jobs on PostgreSQL", open);
describeSuspension("PostgreSQL", open);
describeVconStore("the vCon store on PostgreSQL", open);
