import { Type } from "typebox";
import type { Viewer } from "../../access/principal.ts";
import type { ServerEvent } from "../../events.ts";
import type { App } from "../app.ts";
import { isStillAllowed, viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { answers, textBody } from "../schemas.ts";

const beatEveryMs = 15_000;
/** For so long a token that is revoked still gets events. */
const recheckEveryMs = 5_000;
/** A client that has not read this much by now is let go. */
const mostUnreadBytes = 1024 * 1024;

/** What happens, as it happens: server-sent events. */
export function eventRoutes(app: App, context: HttpContext): void {
  const { events } = context;
  const open = new Set<() => void>();
  app.addHook("preClose", async () => {
    for (const close of open) close();
  });

  app.get(
    "/events",
    {
      config: { endless: true },
      schema: {
        scope: ["vcon:read", "process:run", "queue:write"],
        tags: ["Events"],
        summary: "Follow what happens on all servers",
        description:
          "Server-sent events of run, queue, job and vCon changes in the caller's tenant; of restricted vCons only to administrators. They are hints: after `resync` some may have been missed, so look at the state anew.",
        operationId: "get_events",
        querystring: Type.Object({
          types: Type.Optional(
            Type.String({
              maxLength: 500,
              description: "Only these, comma separated: run.finished,vcon.stored; or run",
            }),
          ),
          queue: Type.Optional(Type.String({ maxLength: 200, description: "Only what is about this queue" })),
        }),
        response: answers({ 200: textBody("text/event-stream", "The events") }),
      },
    },
    async (request, reply) => {
      const types = request.query.types?.split(",").map((type) => type.trim());
      const { queue } = request.query;
      const viewer = viewerIn(request);
      const wanted = (event: ServerEvent | { readonly type: "resync" }) =>
        event.type === "resync" ||
        (isSeen(event, viewer) &&
          (types === undefined ||
            types.some((type) => event.type === type || event.type.startsWith(`${type}.`))) &&
          (queue === undefined || ("queue" in event && event.queue === queue)));
      reply.hijack();
      const { raw } = reply;
      // Those of hooks, CORS among them.
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) raw.setHeader(name, value);
      }
      raw.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        connection: "keep-alive",
      });
      raw.write(": follow\n\n");
      const write = (text: string) => {
        raw.write(text);
        if (raw.writableLength > mostUnreadBytes) raw.destroy();
      };
      const unwatch = events.watch((event) => {
        if (wanted(event)) write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      });
      const beat = setInterval(() => write(": beat\n\n"), beatEveryMs);
      const recheck = setInterval(() => {
        void isStillAllowed(request, context).then((allowed) => {
          if (!allowed) close();
        });
      }, recheckEveryMs);
      const close = () => {
        clearInterval(beat);
        clearInterval(recheck);
        unwatch();
        open.delete(close);
        raw.end();
      };
      open.add(close);
      raw.once("close", close);
    },
  );
}

/** Access lists are not looked up for each event: what a grant gives is seen when it is looked at. */
function isSeen(event: ServerEvent, { all, tenant }: Viewer): boolean {
  return all || (event.tenant === tenant && !("restricted" in event && event.restricted));
}
