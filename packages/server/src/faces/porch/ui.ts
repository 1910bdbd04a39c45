import type { FastifyReply } from "fastify";
import { type Static, Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { App } from "../../http/app.ts";
import { type FaceOptions, ownRules } from "../../http/face.ts";
import { jsonText } from "../../http/send.ts";
import { type Task, type TaskState, taskStates } from "../../ledger/ledger.ts";
import { asReader } from "./authentication.ts";
import { expanded, tasksText } from "./json.ts";

const Page = Type.Object({
  draw: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 })),
  start: Type.Integer({ minimum: 0, maximum: 2 ** 31, default: 0 }),
  length: Type.Integer({
    minimum: -1,
    maximum: 10_000,
    default: -1,
    description: "-1: as many as there are, up to 10000",
  }),
});
const View = Type.Object({
  pipeline_name: Type.String(),
  state: Type.Enum([...taskStates, "All", "NOT DONE"]),
  since: Type.String(),
});
const recentMs = 14 * 86_400_000;
const most = 10_000;

/** What tables in a browser show (DataTables). */
export function uiRoutes(app: App, { context }: FaceOptions): void {
  const { ledger } = context;
  const reads = asReader(context);

  app.get(
    "/ui/tasks/:pipeline_name/:state/:since",
    { ...reads, schema: { ...ownRules, params: View, querystring: Page } },
    async (request, reply) => {
      const { pipeline_name: name, state, since } = request.params as Static<typeof View>;
      const { draw, start, length } = request.query as Static<typeof Page>;
      const { tasks, total } = await ledger.recentTasks({
        pipeline: name === "All" ? undefined : name,
        states: statesOf(state),
        since: dateIn(since),
        offset: start,
        limit: length < 0 ? most : length,
      });
      return table(reply, { draw, tasks, total });
    },
  );

  app.get(
    "/ui/long_running",
    { ...reads, schema: { ...ownRules, querystring: Page } },
    async (request, reply) => {
      const { draw, start, length } = request.query as Static<typeof Page>;
      const tasks = await ledger.longRunning();
      const shown = length < 0 ? tasks : tasks.slice(start, start + length);
      return table(reply, { draw, tasks: shown, total: tasks.length });
    },
  );

  app.get(
    "/ui/recently_failed",
    { ...reads, schema: { ...ownRules, querystring: Page } },
    async (request, reply) => {
      const { draw, start, length } = request.query as Static<typeof Page>;
      const since = new Date(Date.now() - recentMs);
      const limit = length < 0 ? most : length;
      const found = await ledger.recentTasks({ states: ["FAILED"], since, offset: start, limit });
      return table(reply, { draw, ...found });
    },
  );
}

function table(
  reply: FastifyReply,
  {
    draw,
    tasks,
    total,
  }: { readonly draw: number | undefined; readonly tasks: readonly Task[]; readonly total: number },
): FastifyReply {
  const head = JSON.stringify({ draw: draw ?? null, recordsTotal: total, recordsFiltered: total });
  return jsonText(reply, `${head.slice(0, -1)},"data":${tasksText(tasks, expanded)}}`);
}

function statesOf(state: string): readonly TaskState[] | undefined {
  if (state === "All") return undefined;
  if (state === "NOT DONE") return taskStates.filter((one) => one !== "DONE" && one !== "CANCELLED");
  return taskStates.filter((one) => one === state);
}

/** A time without a zone is UTC; the first year stands for no limit. */
function dateIn(text: string): Date | undefined {
  const zoned = /(?:[zZ]|[+-]\d\d:?\d\d)$/.test(text) || !text.includes(":") ? text : `${text}Z`;
  const date = new Date(zoned.replace(" ", "T"));
  if (Number.isNaN(date.getTime())) {
    throw new VconductorError("invalid_request", "since should be a date and time", {
      detail: [
        {
          type: "datetime_parsing",
          loc: ["path", "since"],
          msg: "Input should be a valid datetime",
          input: text,
        },
      ],
    });
  }
  return date.getUTCFullYear() <= 1 ? undefined : date;
}
