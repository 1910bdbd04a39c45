import type { JsonObject } from "@vconductor/vcon";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { ProcessorOutput } from "../../pipelines/direct-run.ts";
import type { Processor } from "../../processors/define.ts";
import { readInput } from "../../processors/io-input.ts";
import { checkDefinitionOptions, optionsComponent } from "../../processors/options.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { missingBody } from "../body.ts";
import type { HttpContext } from "../context.ts";
import { signalOf } from "../request-signal.ts";
import { answers, ref, smallBody, VconUuid } from "../schemas.ts";
import { json } from "../send.ts";

const tags = ["vCon: Processors"];
const Query = Type.Object({
  commit_changes: Type.Boolean({ default: false, description: "Store changed and new vCons" }),
  return_whole_vcon: Type.Boolean({
    default: true,
    description: "False: of vCons that were not modified, only the uuid is answered",
  }),
});
const success = { 200: ref("ProcessorOutput") };
const statuses = [402, 404, 430, 502];

/** A pair of routes for each processor. */
export function processorRoutes(app: App, context: HttpContext): void {
  for (const processor of context.processors.list()) {
    addSchemas(app, processor);
    storedRoute(app, { context, processor });
    givenRoute(app, { context, processor });
  }
}

interface ProcessorRoute {
  readonly context: HttpContext;
  readonly processor: Processor;
}

function storedRoute(app: App, { context, processor }: ProcessorRoute): void {
  const { name } = processor;
  app.post(
    `/process/:vcon_uuid/${name}`,
    {
      // Options only: the vCon is in the store.
      bodyLimit: smallBody(context.config),
      schema: {
        scope: ["process:run"],
        tags,
        summary: processor.title,
        description: processor.description,
        operationId: `run_vcon_processor_process__vcon_uuid__${name}_post`,
        params: Type.Object({ vcon_uuid: VconUuid }),
        querystring: Query,
        body: checkedBody(optionsComponent(processor).name),
        response: answers(success, ...statuses),
      },
    },
    async (request, reply) => {
      const options = optionsOf(processor, request.body, ["body"]);
      const output = await context.runner.processStored({
        processor: name,
        uuid: vconUuidOf(request.params),
        processorOptions: options,
        commit: request.query.commit_changes,
        signal: signalOf(reply),
        caller: callerOf(request),
      });
      return json(reply, shown(output, request.query.return_whole_vcon));
    },
  );
}

function givenRoute(app: App, { context, processor }: ProcessorRoute): void {
  const { name } = processor;
  app.post(
    `/processIO/${name}`,
    {
      schema: {
        scope: ["process:run"],
        tags,
        summary: processor.title,
        description: processor.description,
        operationId: `run_vcon_processor_io_processIO_${name}_post`,
        querystring: Query,
        body: checkedBody(ioName(processor)),
        response: answers(success, ...statuses),
      },
    },
    async (request, reply) => {
      const body = recordOf(request.body, ["body"]);
      const options = optionsOf(processor, body.processor_options, ["body", "processor_options"]);
      const { vcons, parameters } = readInput(body.processor_io);
      const output = await context.runner.processGiven({
        processor: name,
        vcons: vcons.map((value: JsonObject) => ({ text: JSON.stringify(value), value })),
        parameters,
        processorOptions: options,
        commit: request.query.commit_changes,
        signal: signalOf(reply),
        caller: callerOf(request),
      });
      return json(reply, shown(output, request.query.return_whole_vcon));
    },
  );
}

/** The reference's pipeline editor reads these components: they must be references. */
function addSchemas(app: App, processor: Processor): void {
  const { name, schema } = optionsComponent(processor);
  app.addSchema({ ...schema, $id: name });
  app.addSchema({
    ...Type.Object({
      processor_io: Type.Optional(
        Type.Object({
          vcons: Type.Array(Type.Object({}, { additionalProperties: true }), { default: [] }),
          parameters: Type.Object({}, { additionalProperties: true, default: {} }),
        }),
      ),
      processor_options: ref(name),
    }),
    $id: ioName(processor),
  });
}

function ioName(processor: Processor): string {
  return optionsComponent(processor).name.replace(/Options$/, "IO");
}

function checkedBody(name: string) {
  return Type.Unsafe<unknown>({ $ref: `${name}#`, "x-checked-by-handler": true });
}

function vconUuidOf(params: unknown): string {
  return typeof params === "object" && params !== null && "vcon_uuid" in params
    ? String(params.vcon_uuid)
    : "";
}

/** Options that `format_options` fills in may be missing here: the processor's turn to run checks all of them. */
function optionsOf(
  processor: Processor,
  given: unknown,
  loc: readonly (string | number)[],
): Readonly<Record<string, unknown>> {
  const options = Object.fromEntries(
    Object.entries(recordOf(given, loc)).filter(([, value]) => value !== null),
  );
  checkDefinitionOptions(processor, options, { loc });
  return options;
}

function recordOf(value: unknown, loc: readonly (string | number)[]): Record<string, unknown> {
  if (value === undefined && loc.length === 1) throw missingBody();
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  const missing = value === undefined;
  const msg = missing ? "Field required" : "Input should be a valid dictionary";
  throw new VconductorError("invalid_request", msg, {
    detail: [{ type: missing ? "missing" : "dict_type", loc, msg, input: missing ? null : value }],
  });
}

function shown(output: ProcessorOutput, whole: boolean) {
  if (whole) return output;
  return {
    ...output,
    vcons: output.vcons.map((vcon, index) =>
      output.vcons_modified[index] ? vcon : { uuid: vcon.uuid ?? null },
    ),
  };
}
