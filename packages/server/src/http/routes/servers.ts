import { Type } from "typebox";
import type { App } from "../app.ts";
import type { HttpContext } from "../context.ts";
import { answers, Name, NoContent, ref, smallBody } from "../schemas.ts";
import { json, noContent } from "../send.ts";

const tags = ["Admin: Servers"];
const QueueProperties = Type.Object({
  weight: Type.Integer({
    default: 1,
    minimum: -1_000_000,
    maximum: 1_000_000,
    description: "How many jobs in a row are taken from the queue; 0 or less: none",
  }),
});

/** The servers, and the queues that this one tends. */
export function serverRoutes(app: App, { servers, serverKey, address, config }: HttpContext): void {
  app.get(
    "/server/info",
    {
      schema: {
        scope: ["admin"],
        tags,
        summary: "Look at this server",
        operationId: "get_server_info",
        response: answers({ 200: Type.Union([ref("ServerState"), Type.Null()]) }),
      },
    },
    async (_, reply) => json(reply, await servers.get(serverKey)),
  );

  app.get(
    "/servers",
    {
      schema: {
        scope: ["admin"],
        tags,
        summary: "List all servers",
        description: "By key (host:port:pid:start_time). One that sends no heartbeat is shown as dead.",
        operationId: "get_servers",
        response: answers({ 200: Type.Record(Type.String(), ref("ServerState")) }),
      },
    },
    async (_, reply) => json(reply, await servers.list()),
  );

  app.delete(
    "/servers/:server_key",
    {
      schema: {
        scope: ["admin"],
        tags,
        summary: "Delete the record of a server",
        operationId: "delete_server",
        params: Type.Object({
          server_key: Type.String({ minLength: 1, maxLength: 1000, pattern: "^[^\\u0000]*$" }),
        }),
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      await servers.remove(request.params.server_key);
      return noContent(reply);
    },
  );

  app.get(
    "/server/queues",
    {
      schema: {
        scope: ["admin"],
        tags,
        summary: "List the queues that this server tends",
        operationId: "get_server_queues",
        response: answers({ 200: Type.Record(Type.String(), Type.Object({ weight: Type.Integer() })) }),
      },
    },
    async (_, reply) => {
      const tended = await servers.tended(address);
      return json(reply, Object.fromEntries(tended.map(({ queue, weight }) => [queue, { weight }])));
    },
  );

  app.post(
    "/server/queue/:name",
    {
      bodyLimit: smallBody(config),
      schema: {
        scope: ["admin"],
        tags,
        summary: "Tend a queue, or change its weight",
        description: "Takes effect at once, and is still in force after a restart of the server.",
        operationId: "post_server_queue",
        params: Type.Object({ name: Name }),
        body: QueueProperties,
        response: answers({ 204: NoContent }),
      },
    },
    async (request, reply) => {
      await servers.tend({ address, queue: request.params.name, weight: request.body.weight });
      return noContent(reply);
    },
  );

  app.delete(
    "/server/queue/:name",
    {
      schema: {
        scope: ["admin"],
        tags,
        summary: "Tend a queue no longer",
        description: "The queue itself and its jobs stay.",
        operationId: "delete_server_queue",
        params: Type.Object({ name: Name }),
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      await servers.untend({ address, queue: request.params.name });
      return noContent(reply);
    },
  );
}
