/**
 * The main job, from end to end: starts a server, stores the sample conversations, runs them through four pipelines with
 * all the processors that need no network, and shows what changed. `npm run demo` stays up until Ctrl-C; `npm run demo -- --once` ends by itself.
 *
 * It speaks to the server over its REST API only, as any client would. Settings are those of the server
 * (docs/configuration.md): REST_URL for another port, VCON_STORAGE_URL for another database.
 */
import { parseArgs } from "node:util";
import { Api } from "./demo/api.ts";
import { changesBetween, describeChanges } from "./demo/changes.ts";
import { makeKeys } from "./demo/keys.ts";
import { pipelines, queues } from "./demo/pipelines.ts";
import { Progress } from "./demo/progress.ts";
import { readSamples } from "./demo/samples.ts";
import { ServerProcess } from "./demo/server-process.ts";
import { formatTable } from "./demo/table.ts";
import { Trouble } from "./demo/trouble.ts";
import { findFaults, type Result } from "./demo/verify.ts";
import { untilIdle, watchJobs } from "./demo/watch.ts";

const usage = `usage: npm run demo [-- --once]

  --once  end when the conversations have been processed: exit code 0, or 1 if anything went wrong`;

const interrupted = 130;

function say(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}

/** Brings the samples through the pipelines. Answers with what became of each. */
async function runPipelines(api: Api, signal: AbortSignal): Promise<readonly Result[]> {
  const samples = await readSamples();
  for (const [name, definition] of Object.entries(pipelines)) await api.putPipeline(name, definition);
  for (const queue of queues) await api.openQueue(queue);
  await untilIdle({ api, queues, signal });
  for (const sample of samples) await api.storeVcon(sample.text);
  say(`Stored ${samples.length} conversations; they go through ${queues.join(", ")}.`);

  const since = await api.lastRun();
  const jobs: number[] = [];
  for (const sample of samples) jobs.push(await api.queueVcon(queues[0], sample.uuid));
  const progress = new Progress("Running:");
  let runs: Awaited<ReturnType<typeof watchJobs>>;
  try {
    runs = await watchJobs({ api, queues, jobs, since, progress, signal });
  } finally {
    progress.end();
  }
  return await Promise.all(
    samples.map(async (sample) => ({
      sample,
      runs: runs.filter((run) => run.vcons.includes(sample.uuid)).toSorted((a, b) => a.id - b.id),
      changes: changesBetween(JSON.parse(sample.text), await api.readVcon(sample.uuid)),
    })),
  );
}

function showResults(results: readonly Result[], url: string): void {
  const rows = results.map(({ sample, runs, changes }) => [
    sample.title,
    runs.map((run) => run.queue).join(" → "),
    `${Math.round(runs.reduce((total, run) => total + run.seconds, 0) * 1000)} ms`,
    describeChanges(changes),
  ]);
  say("", ...formatTable(["conversation", "pipelines", "duration", "what changed"], rows), "");
  const example = results.find((result) => result.runs.length > 1) ?? results[0];
  say(
    `  API and documentation   ${url}/docs`,
    `  one conversation        ${url}/vcon/${example?.sample.uuid ?? ""}`,
    `  all conversations       ${url}/vcons`,
    `  what ran                ${url}/runs`,
    "",
  );
}

/** @param stop aborted by Ctrl-C @returns the exit code */
async function demo(options: { readonly once: boolean; readonly stop: AbortSignal }): Promise<number> {
  say("Starting a server; the first start makes its database, which takes a few seconds …");
  const server = await ServerProcess.start({ env: await makeKeys(), signal: options.stop });
  try {
    say(`vConductor runs at ${server.url}`);
    const gone = new AbortController();
    void server.exited.then(() => gone.abort(new Trouble("The server has ended unexpectedly.")));
    const signal = AbortSignal.any([options.stop, gone.signal]);

    const results = await runPipelines(new Api(server.url, { signal }), signal);
    showResults(results, server.url);
    const faults = findFaults(results);
    if (faults.length > 0) say("Not as expected:", ...faults.map((fault) => `  ${fault}`), "");
    if (options.once) return faults.length === 0 ? 0 : 1;

    say("The server stays up. Ctrl-C stops it.");
    await aborted(signal);
    if (!options.stop.aborted) signal.throwIfAborted();
    return 0;
  } finally {
    if (!options.once || options.stop.aborted) say("", "Stopping the server …");
    await server.stop();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { once: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) {
    say(usage);
    return 0;
  }
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      // A second one is from somebody who will not wait.
      if (stop.signal.aborted) process.exit(interrupted);
      stop.abort();
    });
  }
  try {
    return await demo({ once: values.once ?? false, stop: stop.signal });
  } catch (error) {
    if (stop.signal.aborted) return interrupted;
    throw error;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const usageError =
    error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  if (!usageError && !(error instanceof Trouble)) throw error;
  process.stderr.write(`${error.message}${usageError ? `\n\n${usage}` : ""}\n`);
  process.exitCode = 1;
}
