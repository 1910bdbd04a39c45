import { Readable } from "node:stream";
import { itemsOf, valueSpan } from "@vconductor/vcon";
import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { App } from "../../http/app.ts";
import { type FaceOptions, ownRules } from "../../http/face.ts";
import { json, jsonText } from "../../http/send.ts";
import { requireStorable } from "../../http/storable.ts";
import type { Ledger, TaskFilter } from "../../ledger/ledger.ts";
import { inputIdOf } from "../../ledger/task-identity.ts";
import { asReader, ledgerToken, requirePipeline, withToken } from "./authentication.ts";
import { claimed, detailed, tasksText, taskText } from "./json.ts";
import { both, linkNext } from "./paths.ts";
import { ClaimQuery, inputIdPattern, Pipeline, Report, Task, TaskChange, TaskQuery } from "./schemas.ts";

const taskPath = "/pipelines/:name/tasks/:task_input_id";
const TaskParams = Type.Object({
  name: Type.String(),
  task_input_id: Type.String({ pattern: inputIdPattern }),
});
const pageSize = 1000;
/** An input names work; large data belongs elsewhere. It is read whole, and listed whole. */
const mostInput = 2 ** 20;

/** Tasks: registering, claiming, changing and finding them. */
export function taskRoutes(app: App, { context }: FaceOptions): void {
  const { ledger } = context;
  const reads = asReader(context);
  const writes = withToken(context);

  both(app, "GET", "/tasks", {
    ...reads,
    schema: {
      ...ownRules,
      querystring: TaskQuery,
    },
    handler: async (request, reply) => {
      const {
        pipeline_name: name = "",
        status,
        limit,
        after = 0,
      } = request.query as Static<typeof TaskQuery>;
      // Without a text it is no filter, as in npg_porch.
      const pipeline = name === "" ? undefined : name;
      const filter: TaskFilter = { pipeline, states: status === undefined ? undefined : [status] };
      if (limit === undefined) {
        return reply.type("application/json").send(Readable.from(everyTask(ledger, { ...filter, after })));
      }
      const page = await ledger.listTasks({ ...filter, after, limit });
      linkNext(request, reply, { limit, page });
      return jsonText(reply, tasksText(page));
    },
  });

  both(app, "POST", "/tasks", {
    ...writes,
    schema: { ...ownRules, body: Task },
    handler: async (request, reply) => {
      const { pipeline } = request.body as Static<typeof Task>;
      const by = ledgerToken(request);
      const own = requirePipeline(by, pipeline.name);
      const { task, created } = await ledger.register({ pipeline: own, input: inputIn(request), by });
      return jsonText(reply.code(created ? 201 : 200), taskText(task));
    },
  });

  both(app, "PUT", "/tasks", {
    ...writes,
    schema: { ...ownRules, body: TaskChange },
    handler: async (request, reply) => {
      const { pipeline, status: state, ...said } = request.body as Static<typeof TaskChange>;
      const by = ledgerToken(request);
      const own = requirePipeline(by, pipeline.name);
      const { progress, message, claim } = said;
      requireStorable(message, ["body", "message"]);
      const inputId = inputIdOf(inputIn(request));
      const task = await ledger.update({ pipeline: own, inputId, state, progress, message, claim, by });
      return jsonText(reply, taskText(task));
    },
  });

  both(app, "POST", "/tasks/claim", {
    ...writes,
    schema: { ...ownRules, body: Pipeline, querystring: ClaimQuery },
    handler: async (request, reply) => {
      const { num_tasks: limit, lease } = request.query as Static<typeof ClaimQuery>;
      const by = ledgerToken(request);
      const pipeline = requirePipeline(by, (request.body as Static<typeof Pipeline>).name);
      const leaseMs = lease === undefined ? undefined : lease * 1000;
      const tasks = await ledger.claim({ pipeline, limit, leaseMs, by });
      // Without a lease it is npg_porch's answer, to the letter.
      return jsonText(reply, lease === undefined ? tasksText(tasks) : tasksText(tasks, claimed));
    },
  });

  app.get(taskPath, { ...reads, schema: { ...ownRules, params: TaskParams } }, async (request, reply) => {
    const task = await ledger.getTask(await keyIn(request, ledger));
    return jsonText(reply, taskText(task, detailed(task)));
  });

  app.get(
    `${taskPath}/events`,
    { ...reads, schema: { ...ownRules, params: TaskParams } },
    async (request, reply) => {
      const events = await ledger.events(await keyIn(request, ledger));
      return json(
        reply,
        events.map(({ at, change, message, by }) => ({ time: at, change, message, token: by })),
      );
    },
  );

  app.post(
    `${taskPath}/report`,
    { ...writes, schema: { ...ownRules, params: TaskParams, body: Report } },
    async (request, reply) => {
      const { lease, progress, message, claim } = request.body as Static<typeof Report>;
      const { name, task_input_id: inputId } = request.params as Static<typeof TaskParams>;
      const by = ledgerToken(request);
      const pipeline = requirePipeline(by, name);
      requireStorable(message, ["body", "message"]);
      const leaseMs = lease === undefined ? undefined : lease * 1000;
      const task = await ledger.report({ pipeline, inputId, leaseMs, progress, message, claim, by });
      return jsonText(reply, taskText(task, detailed(task)));
    },
  );
}

async function keyIn(request: FastifyRequest, ledger: Ledger) {
  const { name, task_input_id: inputId } = request.params as Static<typeof TaskParams>;
  return { pipeline: await ledger.getPipeline(name), inputId };
}

/** The text of `task_input`, as it is spelled in the body; the last one, if it is there twice. @throws too_large */
function inputIn({ bodyText = "" }: FastifyRequest): string {
  const member = itemsOf(bodyText, valueSpan(bodyText)).findLast(({ name }) => name === "task_input");
  if (member === undefined) throw new VconductorError("invalid_request", "task_input is missing");
  const { start, end } = member.value;
  if (end - start > mostInput) {
    throw new VconductorError("too_large", `task_input is larger than the limit of ${mostInput} characters`);
  }
  return bodyText.slice(start, end);
}

/** All tasks, a page at a time, however many there are. */
async function* everyTask(
  ledger: Ledger,
  filter: TaskFilter & { readonly after: number },
): AsyncGenerator<string> {
  let { after } = filter;
  let separator = "[";
  for (;;) {
    const page = await ledger.listTasks({ ...filter, after, limit: pageSize });
    if (page.length > 0) {
      yield separator + page.map((task) => taskText(task)).join(",");
      separator = ",";
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) break;
    after = last.id;
  }
  yield separator === "[" ? "[]" : "]";
}
