import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { App } from "../../http/app.ts";
import { type FaceOptions, ownRules } from "../../http/face.ts";
import { jsonText } from "../../http/send.ts";
import { type TaskPage, type TaskState, type TaskView, taskStates } from "../../ledger/ledger.ts";
import { asReader } from "./authentication.ts";
import { expanded, tasksText } from "./json.ts";
import { mostListed, Page, View } from "./schemas.ts";

const recentMs = 14 * 86_400_000;

/** What tables in a browser show (DataTables). */
export function uiRoutes(app: App, { context }: FaceOptions): void {
  const { ledger } = context;
  const reads = asReader(context);

  app.get(
    "/ui/tasks/:pipeline_name/:state/:since",
    { ...reads, schema: { ...ownRules, params: View, querystring: Page } },
    async (request, reply) => {
      const { pipeline_name: name, state, since } = request.params as Static<typeof View>;
      const view = await ledger.recentTasks({
        pipeline: name === "All" ? undefined : name,
        states: statesOf(state),
        since: dateIn(since),
        ...pageIn(request),
      });
      return table(request, reply, view);
    },
  );

  app.get(
    "/ui/long_running",
    { ...reads, schema: { ...ownRules, querystring: Page } },
    async (request, reply) => table(request, reply, await ledger.longRunning(pageIn(request))),
  );

  app.get(
    "/ui/recently_failed",
    { ...reads, schema: { ...ownRules, querystring: Page } },
    async (request, reply) => {
      const since = new Date(Date.now() - recentMs);
      return table(
        request,
        reply,
        await ledger.recentTasks({ states: ["FAILED"], since, ...pageIn(request) }),
      );
    },
  );
}

function pageIn(request: FastifyRequest): TaskPage {
  const { start, length } = request.query as Static<typeof Page>;
  return { offset: start, limit: length < 0 ? mostListed : length };
}

function table(request: FastifyRequest, reply: FastifyReply, { tasks, total }: TaskView): FastifyReply {
  const { draw = null } = request.query as Static<typeof Page>;
  const head = JSON.stringify({ draw, recordsTotal: total, recordsFiltered: total });
  return jsonText(reply, `${head.slice(0, -1)},"data":${tasksText(tasks, expanded)}}`);
}

function statesOf(state: string): readonly TaskState[] | undefined {
  if (state === "All") return undefined;
  if (state === "NOT DONE") return taskStates.filter((one) => one !== "DONE" && one !== "CANCELLED");
  return taskStates.filter((one) => one === state);
}

const dateForm = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)([zZ]|[+-]\d\d:?\d\d)?)?$/;

/** A time without a zone is UTC; the first year stands for no limit. @throws invalid_request there is no such time */
function dateIn(text: string): Date | undefined {
  const [, day = "", time = "00:00", zone = "Z"] = dateForm.exec(text) ?? [];
  const date = new Date(`${day}T${time}${zone.toUpperCase()}`);
  // The 30th of February would be a day in March.
  if (Number.isNaN(date.getTime()) || !new Date(`${day}T00:00Z`).toISOString().startsWith(day)) {
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
