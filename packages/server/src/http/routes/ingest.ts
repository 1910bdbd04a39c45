import { createHmac } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Principal } from "../../access/principal.ts";
import { RateLimit } from "../../access/rate-limit.ts";
import { sameSecret } from "../../access/same-secret.ts";
import { VconductorError } from "../../errors.ts";
import type { App } from "../app.ts";
import { callerOf, viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { tooMany } from "../limits.ts";
import { AnyVcon, answers, documented, Name, NoContent, vconTypes, withHeaders } from "../schemas.ts";
import { noContent } from "../send.ts";
import { vconOf } from "../vcon-body.ts";

const tags = ["Ingest"];
const success = { 204: withHeaders(NoContent, { Location: "Where to read it" }) };
const signature = Type.Object({
  "x-hub-signature-256": Type.Optional(
    Type.String({ description: "sha256= and the HMAC of the body in hex, where the key wants one" }),
  ),
});

/** Taking vCons from those who may do nothing else. */
export function ingestRoutes(app: App, context: HttpContext): void {
  const take = ingestion(context);

  app.post(
    "/ingest/:queue",
    {
      config: { vconBody: true, keepsBytes: true },
      schema: {
        scope: ["vcon:ingest"],
        tags,
        summary: "Add a vCon to a queue",
        description:
          "Stores a new vCon and queues a job for it, both or neither. What is there already is never changed: a uuid that is taken is answered with 409.",
        operationId: "post_ingest",
        params: Type.Object({ queue: Name }),
        consumes: vconTypes,
        headers: signature,
        body: documented(AnyVcon),
        response: answers(success, 404, 409),
      },
    },
    async (request, reply) => await take(request, reply, [request.params.queue]),
  );

  app.post(
    "/vcon/external-ingress",
    {
      config: { vconBody: true, keepsBytes: true },
      schema: {
        scope: ["vcon:ingest"],
        tags,
        summary: "Add a vCon to a queue, as senders to the vCon conserver do",
        operationId: "post_external_ingress",
        querystring: Type.Object({
          ingress_list: Type.String({
            minLength: 1,
            maxLength: 1000,
            description: "Queues, comma separated",
          }),
        }),
        consumes: vconTypes,
        headers: signature,
        body: documented(AnyVcon),
        response: answers(success, 404, 409),
      },
    },
    async (request, reply) => {
      const queues = request.query.ingress_list.split(",").map((name) => name.trim());
      return await take(request, reply, queues);
    },
  );
}

function ingestion({ config, commit }: HttpContext) {
  const limits = new Map<number, RateLimit>();

  return async (
    request: FastifyRequest,
    reply: FastifyReply,
    queues: readonly string[],
  ): Promise<FastifyReply> => {
    const caller = callerOf(request);
    checkQueues(caller, queues);
    checkRate(caller, limits);
    checkSignature(request, { caller, secret: (name) => config.env[name] });
    const { uuid, form, value, text } = vconOf(request, config);
    // It adds, whoever it is: nothing that is there can be written.
    const viewer = { ...viewerIn(request), addsOnly: true };
    const change = { uuid, form, value, body: text, stored: undefined, viewer };
    const followUps = [...new Set(queues)].map((queue) => ({ queue, vconUuids: [uuid], principal: caller }));
    try {
      await commit({ changes: [change], followUps });
    } catch (error) {
      if (!(error instanceof VconductorError) || error.code !== "forbidden") throw error;
      const message = `vCon UUID: ${uuid} is there already; nothing was changed`;
      throw new VconductorError("conflict", message, { cause: error });
    }
    return noContent(reply.header("location", `/vcon/${encodeURIComponent(uuid)}`));
  };
}

function checkQueues({ queues, name }: Principal, wanted: readonly string[]): void {
  const others = queues === undefined ? [] : wanted.filter((queue) => !queues.includes(queue));
  if (others.length === 0) return;
  throw new VconductorError("forbidden", `${name} may not add to the queue ${others.join(", ")}`);
}

function checkRate({ id, ingest }: Principal, limits: Map<number, RateLimit>): void {
  const perMinute = ingest?.perMinute ?? 0;
  if (perMinute === 0) return;
  const limit = limits.get(perMinute) ?? new RateLimit({ limit: perMinute });
  limits.set(perMinute, limit);
  const allowance = limit.take(id);
  if (!allowance.allowed) throw tooMany(`More than ${perMinute} vCons a minute with this key`, allowance);
}

function checkSignature(
  request: FastifyRequest,
  { caller, secret }: { readonly caller: Principal; readonly secret: (name: string) => string | undefined },
): void {
  const name = caller.ingest?.hmacSecret;
  if (name === undefined) return;
  const key = secret(name);
  if (key === undefined || key === "") {
    throw new VconductorError(
      "unauthorized",
      `The body's signature cannot be checked: the server has no secret ${name}; its operator has to set it`,
    );
  }
  const expected = `sha256=${createHmac("sha256", key)
    .update(request.bodyBytes ?? "")
    .digest("hex")}`;
  const given = request.headers["x-hub-signature-256"];
  if (typeof given === "string" && sameSecret(given.toLowerCase(), expected)) return;
  const why = given === undefined ? "is missing" : "does not fit the body";
  throw new VconductorError("unauthorized", `X-Hub-Signature-256 ${why}`);
}
