import { Type } from "typebox";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { signalOf } from "../request-signal.ts";
import { AnyVcon, answers, documented, Name, ref, VconUuid, vconTypes } from "../schemas.ts";
import { json } from "../send.ts";
import { vconOf } from "../vcon-body.ts";

const tags = ["vCon: Pipelines"];
const Query = Type.Object({
  save_vcons: Type.Boolean({
    default: false,
    description: "Store changed and new vCons; the pipeline's own setting does not count",
  }),
  return_results: Type.Boolean({ default: true, description: "False: answer null" }),
});
const success = { 200: Type.Union([ref("ProcessorOutput"), Type.Null()]) };
const statuses = [402, 404, 430, 502];

/** Running a pipeline in the request that asks for it. */
export function pipelineRunRoutes(app: App, { runner, config }: HttpContext): void {
  app.post(
    "/pipeline/:name/run",
    {
      config: { vconBody: true },
      schema: {
        scope: ["process:run"],
        tags,
        summary: "Run a pipeline on the vCon given",
        description: "The vCon counts as new. The pipeline's success and failure queues are not used.",
        operationId: "post_pipeline_run",
        params: Type.Object({ name: Name }),
        querystring: Query,
        consumes: vconTypes,
        body: documented(AnyVcon),
        response: answers(success, ...statuses),
      },
    },
    async (request, reply) => {
      const { text, value } = vconOf(request, config);
      const output = await runner.pipelineOnGiven({
        pipeline: request.params.name,
        vcon: { text, value },
        save: request.query.save_vcons,
        signal: signalOf(reply),
        caller: callerOf(request),
      });
      return json(reply, request.query.return_results ? output : null);
    },
  );

  app.post(
    "/pipeline/:name/run/:vcon_uuid",
    {
      schema: {
        scope: ["process:run"],
        tags,
        summary: "Run a pipeline on a stored vCon",
        description: "The pipeline's success and failure queues are not used.",
        operationId: "post_pipeline_run_uuid",
        params: Type.Object({ name: Name, vcon_uuid: VconUuid }),
        querystring: Query,
        response: answers(success, ...statuses),
      },
    },
    async (request, reply) => {
      const output = await runner.pipelineOnStored({
        pipeline: request.params.name,
        uuid: request.params.vcon_uuid,
        save: request.query.save_vcons,
        signal: signalOf(reply),
        caller: callerOf(request),
      });
      return json(reply, request.query.return_results ? output : null);
    },
  );
}
