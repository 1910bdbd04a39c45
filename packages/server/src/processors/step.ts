import { type JsonValue, VconError, type VconErrorCode } from "@vconductor/vcon";
import { type ErrorCode, VconductorError } from "../errors.ts";
import type { Processor, ProcessorContext, ServiceRequest } from "./define.ts";
import { formatTemplate } from "./format.ts";
import type { ProcessorIO } from "./io.ts";
import { isRecord } from "./json.ts";
import { validateOptions } from "./options.ts";
import { resolveSecrets, withoutSecrets } from "./options-secrets.ts";
import type { ProcessorRegistry } from "./registry.ts";
import { Suspended } from "./suspended.ts";
import { type StepLimits, within } from "./within.ts";

/** One entry of a pipeline definition. */
export interface Step {
  readonly processor_name: string;
  readonly processor_options: unknown;
}

/** What the server lends to processors. */
export interface StepServices
  extends Pick<ProcessorContext, "log" | "fetch" | "address" | "secret" | "setting" | "media"> {
  /** What `secret:NAME` in options stands for. Default: as `secret` */
  readonly reference?: ProcessorContext["secret"];
  readonly jq: {
    run(call: JqStepCall): Promise<JsonValue[]>;
  };
}

/** What the pipeline that a step belongs to lends to it; a processor that is run alone has none. */
export interface StepPipeline extends Pick<ProcessorContext, "paid" | "stop" | "skip"> {
  runPipeline(name: string, io: ProcessorIO, signal: AbortSignal): Promise<void>;
  service(request: ServiceRequest, signal: AbortSignal): Promise<JsonValue>;
}

interface JqStepCall {
  readonly program: string;
  readonly input: Parameters<ProcessorContext["jq"]>[1];
  readonly signal: AbortSignal;
}

export interface RunStep extends StepLimits {
  readonly registry: ProcessorRegistry;
  readonly step: Step;
  /** Changed in place. After an error it is in an unknown state: throw it away. */
  readonly io: ProcessorIO;
  readonly services: StepServices;
  readonly progress?: ProcessorContext["progress"];
  readonly pipeline: StepPipeline;
  /** Whether the vCon at `input_vcon_index` must exist even if the processor never looks. Default: true. */
  readonly requireInput?: boolean;
}

/**
 * Runs one processor on `io`: looks it up, fills options in from parameters, validates them, and runs it
 * unless `should_process` is false.
 *
 * @throws processor_not_registered, parameter_not_found, invalid_options, vcon_not_found
 * @throws pipeline_timeout the time is up, even when the processor does not heed its signal: it may then
 *   still be working, and only the end of the process stops that
 * @throws run_cancelled the caller's signal was aborted (or that signal's own reason)
 * @throws processor_failed anything else the processor threw
 * @throws Suspended the run ends for now
 */
export async function runStep(run: RunStep): Promise<"done" | "skipped"> {
  const { registry, step, io, services } = run;
  const processor = registry.get(step.processor_name);
  const options = validateOptions(processor, expandOptions(step.processor_options, io));
  if (!options.should_process) return "skipped";
  if (run.requireInput ?? true) io.uuid(options.input_vcon_index);
  const resolved = resolveSecrets(processor, options, services.reference ?? services.secret);
  const secrets = new Set(resolved.secrets);
  try {
    await within(run, processor.name, async (signal) => {
      const returned = await processor.process(io, resolved.options, contextFor(run, { signal, secrets }));
      if (returned !== io) throw new Error("process() did not return the io it was given");
    });
  } catch (error) {
    if (error instanceof Suspended) throw error;
    throw toStepError(processor, error, [...secrets]);
  }
  return "done";
}

/** The options with each template of `format_options` expanded over the option of its name. */
function expandOptions(raw: unknown, io: ProcessorIO): unknown {
  const templates = isRecord(raw) ? raw.format_options : undefined;
  if (!isRecord(raw) || !isRecord(templates)) return raw;
  const expanded: Record<string, unknown> = { ...raw };
  for (const [option, template] of Object.entries(templates)) {
    // A template that is no text is left for validation to name.
    if (option === "format_options" || typeof template !== "string") continue;
    expanded[option] = formatTemplate(template, { option, parameters: io.parameters });
  }
  return expanded;
}

function contextFor(
  { services, progress, pipeline }: RunStep,
  { signal, secrets }: { readonly signal: AbortSignal; readonly secrets: Set<string> },
): ProcessorContext {
  return {
    signal,
    log: services.log,
    address: services.address,
    setting: services.setting,
    media: services.media,
    paid: pipeline.paid,
    stop: pipeline.stop,
    skip: pipeline.skip,
    runPipeline: (name, io) => pipeline.runPipeline(name, io, signal),
    service: (request) => pipeline.service(request, signal),
    fetch: (url, init = {}) => {
      const signals = init.signal ? [signal, init.signal] : [signal];
      return services.fetch(url, { ...init, signal: AbortSignal.any(signals) });
    },
    secret: (name) => {
      const value = services.secret(name);
      if (value !== undefined && value !== "") secrets.add(value);
      return value;
    },
    mask: (text) => withoutSecrets(text, [...secrets]),
    jq: (program, input) => services.jq.run({ program, input, signal }),
    progress: (percent, message) => {
      // A processor that outlived its time has nothing to say any more.
      if (!signal.aborted) progress?.(Math.min(100, Math.max(0, percent)), message);
    },
  };
}

/** What the library's errors mean here; the rest are failures of the processor. */
const libraryCodes: Partial<Record<VconErrorCode, ErrorCode>> = {
  invalid_vcon: "invalid_vcon",
  not_a_vcon: "invalid_vcon",
  no_uuid: "invalid_vcon",
  unsupported_version: "unsupported_vcon_version",
  invalid_state: "invalid_vcon_state",
  invalid_option: "invalid_options",
  invalid_key: "invalid_key",
  decryption_failed: "invalid_key",
  invalid_signature: "invalid_signature",
  untrusted_certificate: "invalid_signature",
  expired_certificate: "invalid_signature",
  fetch_failed: "provider_failed",
  hash_mismatch: "provider_failed",
  invalid_query: "invalid_query",
};

function toStepError(processor: Processor, error: unknown, secrets: readonly string[]): VconductorError {
  const text = error instanceof Error ? error.message : String(error);
  const message = withoutSecrets(text, secrets);
  // An error that quotes a secret is not passed on, not even as a cause: causes are logged.
  const clean = message === text;
  if (error instanceof VconductorError) return clean ? error : new VconductorError(error.code, message);
  const known = error instanceof VconError ? libraryCodes[error.code] : undefined;
  if (known !== undefined) {
    return new VconductorError(
      known,
      `processor: ${processor.name}: ${message}`,
      clean ? { cause: error } : {},
    );
  }
  const failed = `processor: ${processor.name} failed: ${message}`;
  return new VconductorError("processor_failed", failed, clean ? { cause: error } : {});
}
