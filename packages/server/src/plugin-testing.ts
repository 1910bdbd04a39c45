/** For the tests of plugins: `@vconductor/server/plugin-testing`. */
import { contentHash, type JsonObject, type JsonValue } from "@vconductor/vcon";
import { readConfig } from "./config.ts";
import type { MediaStore, ProcessorLog, ServiceRequest, Usage } from "./processors/define.ts";
import { ProcessorIO, type QueuedJob } from "./processors/io.ts";
import { toProcessors } from "./processors/plugin.ts";
import { ProcessorRegistry } from "./processors/registry.ts";
import { stepServices } from "./processors/services.ts";
import { runStep, type StepPipeline } from "./processors/step.ts";

export interface RunPlugin {
  /** Which of them to run, if the plugin exports several. */
  readonly name?: string;
  /** As in a pipeline: defaults are filled in, and what does not fit the schema is refused. */
  readonly options?: JsonObject;
  /** vCons of any version. The processor sees the newest. */
  readonly vcons?: readonly JsonObject[];
  readonly parameters?: JsonObject;
  /** Settings and secrets, as environment variables, for example FETCH_ALLOW. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
  /** What remote workers answer to `context.service`. Default: it is an error to ask. */
  readonly service?: (request: ServiceRequest) => JsonValue | Promise<JsonValue>;
  /** Aborts the run. */
  readonly signal?: AbortSignal;
}

export interface PluginRan {
  readonly vcons: readonly JsonObject[];
  /** Which of them were changed or are new, in the same order. */
  readonly modified: readonly boolean[];
  readonly parameters: JsonObject;
  readonly jobs: readonly QueuedJob[];
  readonly progress: readonly { readonly percent: number; readonly message?: string }[];
  readonly log: readonly { readonly level: keyof ProcessorLog; readonly message: string }[];
  /** What `context.paid` was told. */
  readonly usage: readonly Usage[];
  /** What it told the pipeline: "stop", or how many steps to skip. */
  readonly flow: readonly ("stop" | number)[];
}

/**
 * Runs a processor as a pipeline would, without a server and a database: options are checked, secrets are filled in,
 * `fetch` is guarded, jq is real. Media is kept in memory.
 *
 * @param plugin what the plugin's module has as its default export
 * @throws VconductorError what the run would have failed with
 * @throws Error what the server would have reported when loading the plugin
 */
export async function runProcessor(plugin: unknown, run: RunPlugin = {}): Promise<PluginRan> {
  const processors = toProcessors(plugin);
  const name = run.name ?? (processors.length === 1 ? processors[0]?.name : undefined);
  if (name === undefined) {
    throw new Error(`say which: { name: ${processors.map((one) => `"${one.name}"`).join(" | ")} }`);
  }
  const progress: { percent: number; message?: string }[] = [];
  const lines: { level: keyof ProcessorLog; message: string }[] = [];
  const usage: Usage[] = [];
  const flow: ("stop" | number)[] = [];
  const line = (level: keyof ProcessorLog) => (_details: object, message?: string) =>
    void lines.push({ level, message: message ?? "" });
  const log = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  const pipeline: StepPipeline = {
    async paid(_request, call) {
      const paid = await call();
      usage.push(paid.usage);
      return paid.answer;
    },
    stop: () => void flow.push("stop"),
    skip: (count) => void flow.push(count),
    service: async (request) => {
      if (run.service === undefined) throw new Error("there are no remote workers in this test");
      return await run.service(request);
    },
    runPipeline: () => Promise.reject(new Error("there are no other pipelines in a test")),
  };
  const io = new ProcessorIO(run.parameters);
  for (const vcon of run.vcons ?? []) io.add(vcon, { lent: true });
  const services = stepServices({ config: readConfig(run.env ?? {}), log, media: memory() });
  try {
    await runStep({
      registry: new ProcessorRegistry(processors),
      step: { processor_name: name, processor_options: run.options ?? {} },
      io,
      services,
      pipeline,
      progress: (percent, message) =>
        void progress.push(message === undefined ? { percent } : { percent, message }),
      ...(run.signal === undefined ? {} : { signal: run.signal }),
    });
  } finally {
    await services.stop();
  }
  const { vcons, vcons_modified: modified, parameters } = io.toOutput();
  return { vcons, modified, parameters, jobs: io.queuedJobs, progress, log: lines, usage, flow };
}

function memory(): MediaStore {
  const kept = new Map<string, Uint8Array>();
  return {
    async put({ bytes }) {
      const hash = await contentHash(bytes);
      const url = `memory:${hash}`;
      kept.set(url, bytes);
      return { url, contentHash: hash };
    },
    get: async (url) => kept.get(url),
  };
}
