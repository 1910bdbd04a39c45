/**
 * Measures the speeds that the project promises (docs/performance.md) against a real server on a fresh database,
 * each beside the raw speed of that database in the same minute.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { EmbeddedPostgres } from "../packages/server/src/database/embedded.ts";
import { type Group, withCpu } from "./cpu.ts";
import { DocumentMaker, documentBytes } from "./document.ts";
import { load } from "./load.ts";
import { databaseSettings, describeMachine } from "./machine.ts";
import { fullPlan, type Plan, quickPlan } from "./plan.ts";
import { RawDatabase, type RawSpeed } from "./raw.ts";
import { disturbances, type Report, type RowReport, reportRow, textTable } from "./report.ts";
import type { Bench, Row } from "./row.ts";
import { enqueue } from "./rows/enqueue.ts";
import { jobs } from "./rows/jobs.ts";
import { parseAndValidate, signAndVerify } from "./rows/library.ts";
import { memory } from "./rows/memory.ts";
import { aged, claim, register, remote } from "./rows/outside.ts";
import { pickup } from "./rows/pickup.ts";
import { read } from "./rows/read.ts";
import { store } from "./rows/store.ts";
import { BenchServer } from "./server.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** In the order of measuring: memory while the server is fresh. */
const rows: readonly Row[] = [
  memory,
  store,
  read,
  jobs,
  enqueue,
  pickup,
  remote,
  register,
  claim,
  aged,
  parseAndValidate,
  signAndVerify,
];

const usage = `usage: npm run bench [-- options]

  --only ROW       only this row; may be given several times: ${rows.map((row) => row.name).join(", ")}
  --quick          a few seconds in all, to see that everything works; the figures mean little
  --output FILE    where the report goes; default: bench/results/latest.json, for all rows with the default settings
  --set NAME=VALUE a setting of the server other than its default; may be given several times
  --cpu-prof DIR   write CPU profiles of the server's processes there (opens in a browser's developer tools)`;

interface Options {
  readonly rows: readonly Row[];
  readonly plan: Plan;
  readonly output: string | undefined;
  /** Of the server, where they are not the default. */
  readonly settings: Readonly<Record<string, string>>;
  readonly nodeOptions: readonly string[];
}

/** A mistake in the options. */
class UsageError extends Error {}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      quick: { type: "boolean" },
      output: { type: "string" },
      set: { type: "string", multiple: true },
      "cpu-prof": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  const only = values.only ?? [];
  const unknown = only.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined) throw new UsageError(`there is no row ${unknown}`);
  const settings = Object.fromEntries((values.set ?? []).map(readSetting));
  const whole = only.length === 0 && values.quick !== true && values.set === undefined;
  const profiles = values["cpu-prof"];
  return {
    rows: only.length === 0 ? rows : rows.filter((row) => only.includes(row.name)),
    plan: values.quick === true ? quickPlan : fullPlan,
    output: values.output ?? (whole ? join(root, "bench/results/latest.json") : undefined),
    settings,
    nodeOptions: profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${resolve(profiles)}`],
  };
}

function readSetting(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--set ${text} should be --set NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs `work` beside a PostgreSQL in a fresh directory, which is gone afterwards. */
async function withDatabase<Result>(
  work: (database: { readonly url: string; readonly directory: string }) => Promise<Result>,
): Promise<Result> {
  // Where the server's own data would be: the system's temporary directory may be in memory, where nothing is durable.
  const parent = join(root, ".vconductor");
  await mkdir(parent, { recursive: true });
  const directory = await mkdtemp(join(parent, "bench-"));
  const postgres = new EmbeddedPostgres({ directory, log: say });
  try {
    await postgres.start();
    return await work({ url: postgres.url(), directory });
  } finally {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measureAll(options: Options, signal: AbortSignal): Promise<Report> {
  const { plan, nodeOptions, settings } = options;
  return await withDatabase(async ({ url, directory }) => {
    const server = await BenchServer.start({ databaseUrl: url, settings, nodeOptions, signal });
    try {
      const raw = await RawDatabase.open({ url, connections: plan.connections });
      try {
        const speeds: RawSpeed[] = [];
        const measureRaw = async (): Promise<RawSpeed> => {
          const speed = await raw.measure({ durationMs: plan.rawMs, signal });
          speeds.push(speed);
          return speed;
        };
        const database = await postmaster(directory);
        const bench = prepare({ server, plan, database, sql: (text) => raw.query(text), signal });
        const reports: RowReport[] = [];
        for (const row of options.rows) {
          const before = row.raw === undefined ? undefined : (speeds.at(-1) ?? (await measureRaw()));
          const measured = await row.measure(bench);
          const after = row.raw === undefined ? undefined : await measureRaw();
          const report = reportRow(
            row,
            measured,
            [before, after].filter((speed) => speed !== undefined),
          );
          reports.push(report);
          say(`${row.title}: ${report.rounds.join(", ")} ${row.unit}`);
        }
        return {
          date: new Date().toISOString(),
          machine: await describeMachine({ raw, directory }),
          settings: {
            ...plan,
            document_bytes: documentBytes,
            server: settings,
            postgresql: await databaseSettings(raw),
          },
          raw: speeds,
          rows: reports,
        };
      } finally {
        await raw.close();
      }
    } finally {
      await server.stop();
    }
  });
}

async function postmaster(directory: string): Promise<number> {
  return Number((await readFile(join(directory, "postgres/postmaster.pid"), "utf8")).split("\n")[0]);
}

function prepare(
  options: Pick<Bench, "server" | "plan" | "sql" | "signal"> & { readonly database: number },
): Bench {
  const { server, plan, sql, signal, database } = options;
  const groups: readonly Group[] = [
    { name: "server's main process", root: server.pid, which: "root" },
    { name: "server's other processes", root: server.pid, which: "descendants" },
    { name: "database", root: database, which: "all" },
    { name: "load generator", root: process.pid, which: "root" },
  ];
  const documents = new DocumentMaker();
  const uuids: string[] = [];
  const stored = async (count: number): Promise<readonly string[]> => {
    const missing = count - uuids.length;
    await load({
      url: server.url,
      connections: plan.connections,
      durationMs: 300_000,
      most: Math.max(0, missing),
      signal,
      next: () => {
        const { uuid, body } = documents.next();
        uuids.push(uuid);
        return { method: "POST", path: "/vcon", body };
      },
    });
    return uuids;
  };
  return { server, plan, documents, stored, withCpu: (work) => withCpu(groups, work), sql, signal };
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    say(usage);
    return 0;
  }
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort());
  let report: Report;
  try {
    report = await measureAll(options, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    throw error;
  }
  say(`\n${[...textTable(report.rows), ...disturbances(report.rows)].join("\n")}`);
  if (options.output !== undefined) {
    await writeFile(options.output, `${JSON.stringify(report, null, 2)}\n`);
    say(
      `\nWritten to ${relative(process.cwd(), options.output)}; node bench/table.ts brings it into docs/performance.md.`,
    );
  }
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const usageError =
    error instanceof UsageError ||
    (error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));
  process.stderr.write(
    usageError ? `${error.message}\n\n${usage}\n` : `The benchmark failed: ${describe(error)}\n`,
  );
  process.exitCode = 1;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
