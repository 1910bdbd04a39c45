import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { App } from "../app.ts";
import type { HttpContext } from "../context.ts";
import { answers, Name, ref } from "../schemas.ts";
import { json } from "../send.ts";
import { toUsageJson } from "../usage-json.ts";

const day = 86_400_000;
const Time = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }));

/** What paid services were used, and what that cost. */
export function usageRoutes(app: App, { usage }: HttpContext): void {
  app.get(
    "/usage",
    {
      schema: {
        scope: ["admin"],
        tags: ["Runs"],
        summary: "Usage of paid services",
        description:
          "Calls to language models and transcription services by day (UTC), queue, provider and model; newest first. " +
          "Costs are estimates in US dollars, from list prices or MODEL_PRICES.",
        operationId: "get_usage",
        querystring: Type.Object({
          since: Time("RFC 3339 date and time, or a date. Default: 30 days ago"),
          until: Time("The first moment that does not count. Default: now"),
          queue: Type.Optional(Name),
        }),
        response: answers({ 200: Type.Object({ usage: Type.Array(ref("UsageGroup")) }) }),
      },
    },
    async (request, reply) => {
      const { since, until, queue } = request.query;
      const groups = await usage.summary({
        since: dateOf("since", since) ?? new Date(Date.now() - 30 * day),
        until: dateOf("until", until) ?? new Date(),
        queue,
      });
      return json(reply, {
        usage: groups.map((group) => ({
          day: group.day,
          queue: group.queue,
          provider: group.provider,
          model: group.model,
          ...toUsageJson(group),
        })),
      });
    },
  );
}

function dateOf(name: string, given: string | undefined): Date | undefined {
  if (given === undefined) return undefined;
  const date = new Date(given);
  if (/^\d{4}-\d{2}-\d{2}/.test(given) && !Number.isNaN(date.getTime())) return date;
  const msg = "Input should be a date, or a date and time with its zone (RFC 3339)";
  throw new VconductorError("invalid_request", `${name}: ${msg}`, {
    detail: [{ type: "datetime_parsing", loc: ["query", name], msg, input: given }],
  });
}
