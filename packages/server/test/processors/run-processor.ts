import type { JsonObject, JsonValue } from "@vconductor/vcon";
import { afterAll } from "vitest";
import { builtin } from "../../src/processors/builtin/index.ts";
import type { MediaStore, Processor, Usage } from "../../src/processors/define.ts";
import { ProcessorIO } from "../../src/processors/io.ts";
import { ProcessorRegistry } from "../../src/processors/registry.ts";
import { runStep, type StepPipeline } from "../../src/processors/step.ts";
import { alone, testServices } from "./test-services.ts";

export interface RunProcessor {
  /** Default: one of the built-in processors by that name. */
  readonly processor: string | Processor;
  readonly options?: object;
  /** vCons to work on; they are lent. */
  readonly vcons?: readonly JsonObject[];
  readonly parameters?: JsonObject;
  /** The environment of the server: keys of providers, FETCH_ALLOW … */
  readonly env?: Readonly<Record<string, string>>;
  readonly media?: MediaStore;
  readonly signal?: AbortSignal;
}

export interface Ran {
  readonly io: ProcessorIO;
  /** What was paid for, in order. */
  readonly usage: readonly Usage[];
  /** What it told the pipeline to do next. */
  readonly flow: readonly ("stop" | number)[];
}

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Runs one processor as a pipeline would, with real services: guarded fetch, jq, secrets from `env`. */
export async function runProcessor(run: RunProcessor): Promise<Ran> {
  const services = testServices(run.env, run.media);
  stops.push(() => services.stop());
  const io = new ProcessorIO(run.parameters);
  for (const vcon of run.vcons ?? []) io.add(vcon, { lent: true });
  const usage: Usage[] = [];
  const flow: ("stop" | number)[] = [];
  const pipeline: StepPipeline = {
    ...alone,
    async paid<Answer extends JsonValue>(
      _: JsonValue,
      call: () => Promise<{ readonly answer: Answer; readonly usage: Usage }>,
    ) {
      const paid = await call();
      usage.push(paid.usage);
      return paid.answer;
    },
    stop: () => void flow.push("stop"),
    skip: (count) => void flow.push(count),
  };
  const { processor } = run;
  const name = typeof processor === "string" ? processor : processor.name;
  const own = typeof processor === "string" ? [] : [processor];
  await runStep({
    registry: new ProcessorRegistry([...builtin, ...own]),
    step: { processor_name: name, processor_options: run.options ?? {} },
    io,
    services,
    pipeline,
    requireInput: false,
    ...(run.signal === undefined ? {} : { signal: run.signal }),
  });
  return { io, usage, flow };
}
