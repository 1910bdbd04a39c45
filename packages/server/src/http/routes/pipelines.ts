import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { PipelineDefinition } from "../../pipelines/definition.ts";
import { commonOptionDefaults } from "../../processors/common-options.ts";
import { checkDefinitionOptions } from "../../processors/options.ts";
import { maskSecrets } from "../../processors/options-secrets.ts";
import type { ProcessorRegistry } from "../../processors/registry.ts";
import type { App } from "../app.ts";
import { viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { definitionOf } from "../definition-body.ts";
import { answers, Name, NoContent, ref, withHeaders } from "../schemas.ts";
import { json, noContent } from "../send.ts";

const tags = ["Admin: Pipelines"];
const name = Type.Object({ name: Name });

/** Pipeline definitions. */
export function pipelineRoutes(app: App, { pipelines, processors }: HttpContext): void {
  app.get(
    "/pipelines",
    {
      schema: {
        scope: ["process:run", "pipeline:write"],
        tags,
        summary: "List pipelines",
        operationId: "get_pipelines",
        response: answers({ 200: Type.Array(Type.String()) }),
      },
    },
    async (request, reply) => json(reply, await pipelines.list(viewerIn(request))),
  );

  app.put(
    "/pipeline/:name",
    {
      schema: {
        scope: ["pipeline:write"],
        tags,
        summary: "Create or replace a pipeline",
        description:
          "Jobs of the queue with the pipeline's name run through it. Processors and their options are checked unless `validate_processor_options` is false.",
        operationId: "put_pipeline",
        params: name,
        querystring: Type.Object({ validate_processor_options: Type.Boolean({ default: true }) }),
        body: Type.Unsafe<unknown>({ $ref: "PipelineDefinition#", "x-checked-by-handler": true }),
        response: answers({ 204: NoContent }),
      },
    },
    async (request, reply) => {
      const definition = definitionOf(request.body);
      if (request.query.validate_processor_options) checkSteps(definition, processors);
      const stored = {
        ...definition,
        processors: definition.processors.map((step) => ({
          ...step,
          processor_options: { ...commonOptionDefaults, ...step.processor_options },
        })),
      };
      await pipelines.put({ name: request.params.name, definition: stored, viewer: viewerIn(request) });
      return noContent(reply);
    },
  );

  app.get(
    "/pipeline/:name",
    {
      schema: {
        scope: ["pipeline:write"],
        tags,
        summary: "Look at a pipeline",
        description: "Secrets given in options are masked.",
        operationId: "get_pipeline",
        params: name,
        response: answers({ 200: withHeaders(ref("PipelineDefinition"), { ETag: "The revision" }) }, 404),
      },
    },
    async (request, reply) => {
      const { definition, revision } = await pipelines.get(request.params.name, viewerIn(request));
      reply.header("etag", `"${revision}"`);
      return json(reply, masked(definition, processors));
    },
  );

  app.delete(
    "/pipeline/:name",
    {
      schema: {
        scope: ["pipeline:write"],
        tags,
        summary: "Delete a pipeline",
        description: "The queue of the same name stays; its jobs wait.",
        operationId: "delete_pipeline",
        params: name,
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      await pipelines.delete(request.params.name, viewerIn(request));
      return noContent(reply);
    },
  );
}

/** Every mistake in the options of every step, at once. */
function checkSteps(definition: PipelineDefinition, processors: ProcessorRegistry): void {
  for (const step of definition.processors) processors.get(step.processor_name);
  const findings = definition.processors.flatMap((step, index) => {
    try {
      const loc = ["body", "processors", index, "processor_options"];
      checkDefinitionOptions(processors.get(step.processor_name), step.processor_options, { loc });
      return [];
    } catch (error) {
      if (!(error instanceof VconductorError) || !Array.isArray(error.detail)) throw error;
      return error.detail;
    }
  });
  if (findings.length > 0) {
    throw new VconductorError("invalid_options", "Processor options are not valid", { detail: findings });
  }
}

function masked(definition: PipelineDefinition, processors: ProcessorRegistry) {
  return {
    ...definition,
    processors: definition.processors.map((step) => ({
      ...step,
      processor_options: processors.has(step.processor_name)
        ? maskSecrets(processors.get(step.processor_name), step.processor_options)
        : step.processor_options,
    })),
  };
}
