import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../http/app.ts";
import type { FaceOptions } from "../../http/face.ts";
import { toProblem } from "../../http/problems.ts";
import { json } from "../../http/send.ts";

/** Errors as npg_porch words them: `{"detail": …}`, and plain text for what is nobody's fault. */
export function addPorchProblems(app: App, { context, routes }: FaceOptions): void {
  app.setErrorHandler((error, request: FastifyRequest, reply: FastifyReply) => {
    const problem = toProblem(error, request);
    if (problem === undefined) {
      context.log.error({ err: error, id: request.id, url: request.url }, "internal error");
      return reply.code(500).type("text/plain; charset=utf-8").send("Internal Server Error");
    }
    if (problem.retryAfter !== undefined) reply.header("retry-after", String(problem.retryAfter));
    return json(reply.code(problem.status), { detail: problem.detail });
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ""] = request.url.split("?");
    const methods = routes.methods(path);
    if (methods.length === 0 || methods.includes(request.method)) {
      return json(reply.code(404), { detail: "Not Found" });
    }
    return json(reply.code(405).header("allow", methods.join(", ")), { detail: "Method Not Allowed" });
  });
}
