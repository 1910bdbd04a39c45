import type { Command } from "commander";
import type { Database } from "./database/database.ts";
import type { JobQueue } from "./jobs/job-queue.ts";
import type { Ledger } from "./ledger/ledger.ts";

/** `vconductor porch …`: the once-only ledger, for whoever has the database. */
export function addPorchCommands(program: Command): void {
  const porch = program
    .command("porch")
    .description("tokens of the once-only ledger, and its import from npg_porch");

  porch
    .command("token")
    .description("create a token; its text goes to standard output, once")
    .requiredOption("--description <text>", "what it is for")
    .option(
      "--pipeline <name>",
      "the pipeline whose tasks it may register and claim (default: an administrator's)",
    )
    .action(({ description, pipeline }: { readonly description: string; readonly pipeline?: string }) =>
      withLedger(async ({ ledger }) => {
        const of = pipeline === undefined ? undefined : await ledger.getPipeline(pipeline);
        process.stdout.write(`${await ledger.addToken({ pipeline: of, description })}\n`);
        const whose = of === undefined ? "an administrator's token" : `a token of the pipeline ${of.name}`;
        process.stderr.write(`This is ${whose}. Keep it: it is not shown again.\n`);
      }),
    );

  porch
    .command("import")
    .argument("<url>", "the database of the npg_porch: postgres://user:password@host/database")
    .option("--schema <name>", "where its tables are", "npg_porch")
    .description("copy pipelines, tokens, tasks and their history; again, to fetch what has changed")
    .action((source: string, { schema }: { readonly schema: string }) =>
      withLedger(async ({ ledger, database, jobs }) => {
        const { importNpgPorch } = await import("./ledger/import-npg-porch.ts");
        const onProgress = (tasks: number) => process.stderr.write(`${tasks} tasks …\n`);
        const done = await importNpgPorch({ source, schema, database, jobs, ledger, onProgress });
        process.stdout.write(
          `Added ${done.pipelines} pipelines, ${done.tokens} tokens, ${done.tasks} tasks and ${done.events} events.\n`,
        );
        if (done.updated > 0) process.stdout.write(`${done.updated} tasks have another state now.\n`);
        warn("tasks cannot be copied", done.skipped);
        warn("tasks have another state there by now, and stay as they are here", done.left);
      }),
    );
}

const mostNamed = 10;

function warn(what: string, reasons: readonly string[]): void {
  if (reasons.length === 0) return;
  const more = reasons.length > mostNamed ? ["…"] : [];
  const named = [...reasons.slice(0, mostNamed), ...more].map((reason) => `  ${reason}\n`);
  process.stderr.write(`${reasons.length} ${what}:\n${named.join("")}`);
}

async function withLedger(
  act: (tools: {
    readonly ledger: Ledger;
    readonly database: Database;
    readonly jobs: JobQueue;
  }) => Promise<void>,
): Promise<void> {
  const { withDatabase } = await import("./with-database.ts");
  const { openStores } = await import("./stores.ts");
  const { postgresLedger } = await import("./ledger/postgres-ledger.ts");
  await withDatabase("queues", async ({ url }, config) => {
    const urls = { vcons: url, queues: url, pipelines: url, state: url };
    const stores = openStores({
      urls,
      poolSize: 2,
      leaseMs: config.leaseSeconds * 1000,
      application: "vconductor command",
    });
    try {
      const { jobs, remoteJobs, queueDatabase: database } = stores;
      const ledger = postgresLedger({ database, jobs, remoteJobs, serverKey: "command" });
      await act({ ledger, database, jobs });
    } finally {
      await stores.stop();
    }
  });
}
