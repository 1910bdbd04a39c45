import { Ajv, type ErrorObject, type SchemaObject, type ValidateFunction } from "ajv";
import type { FastifyReply, FastifyRequest, FastifySchema, FastifySchemaCompiler } from "fastify";
import type { VconductorError } from "../../errors.ts";
import type { App } from "../../http/app.ts";
import type { FaceOptions } from "../../http/face.ts";
import { toProblem } from "../../http/problems.ts";

const ajv = new Ajv({ allErrors: true, strict: false, verbose: true, validateFormats: false, logger: false });

/** As it is given: nothing is made a boolean or a number that is none. */
const strictValidator: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) => {
  if (httpPart === "headers") return () => true;
  // When it is first used: most servers have no such workers.
  let compiled: ValidateFunction | undefined;
  const check: { (data: unknown): boolean; errors?: ErrorObject[] | null } = (data) => {
    compiled ??= ajv.compile(schema as SchemaObject);
    const fits = compiled(data);
    check.errors = compiled.errors ?? null;
    return fits;
  };
  return check;
};

/**
 * Errors as the Sisyphus server words them: 400, with a text for each place. Two requests of its client are answered so that
 * it goes on: one that polls takes all but 404 for a job, and one that asks for the queue needs its switch. Both are told
 * that there is nothing to do for now; unless they may not ask at all, which is to be seen.
 */
export function addSisyphusProblems(app: App, { context, routes }: FaceOptions): void {
  app.setValidatorCompiler(strictValidator);
  app.setErrorHandler((error, request: FastifyRequest, reply: FastifyReply) => {
    const problem = toProblem(error, request);
    const isPassing = problem === undefined || ![401, 403].includes(problem.status);
    const [path = ""] = request.url.split("?");
    if (isPassing && path.endsWith("/queue/poll")) {
      if (problem === undefined) context.log.error({ err: error, id: request.id }, "a poll failed");
      return sendNull(reply, 404);
    }
    if (isPassing && request.method === "GET" && path.endsWith("/queue")) {
      reply.code(problem?.status ?? 500);
      return sendJson(reply, {
        message: problem?.message ?? "Internal Server Error",
        attributes: { disabled: true },
      });
    }
    if (problem === undefined) {
      context.log.error({ err: error, id: request.id, url: request.url }, "internal error");
      return sendJson(reply.code(500), { message: "Internal Server Error" });
    }
    if (problem.retryAfter !== undefined) reply.header("retry-after", String(problem.retryAfter));
    if (problem.code !== "invalid_request")
      return sendJson(reply.code(problem.status), { message: problem.message });
    const findings = findingsIn(problem);
    const [first] = findings;
    if (first?.type === "json_invalid") return sendJson(reply.code(400), { message: problem.message });
    if (first?.type === "json_type") return sendJson(reply.code(415), { message: problem.message });
    const errors = Object.fromEntries(findings.map(({ place, text }) => [place, text]));
    return sendJson(reply.code(400), { errors, message: "Input payload validation failed" });
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ""] = request.url.split("?");
    const methods = routes.methods(path);
    if (methods.length === 0 || methods.includes(request.method)) {
      return sendJson(reply.code(404), { message: "The requested URL was not found on the server." });
    }
    const message = "The method is not allowed for the requested URL.";
    return sendJson(reply.code(405).header("allow", methods.join(", ")), { message });
  });
}

/**
 * JSON that the client's unescaping of HTML leaves alone: it is done to the whole text, before that is parsed. There are
 * no entities without an ampersand, and in JSON that is inside of texts only.
 */
export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return sendText(reply, JSON.stringify(value));
}

/** @param text JSON */
export function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("application/json").send(`${text.replaceAll("&", "\\u0026")}\n`);
}

/** Nothing, as JSON: what the server says where there is none. */
export function sendNull(reply: FastifyReply, status: number): FastifyReply {
  return sendJson(reply.code(status), null);
}

function findingsIn({ detail, message }: VconductorError) {
  if (!Array.isArray(detail)) return [{ type: "", place: "", text: message }];
  return detail.map((finding: { type?: unknown; loc?: unknown; msg?: unknown }) => {
    // There, a member too many is a mistake of the object that has it.
    const end = finding.type === "extra_forbidden" ? -1 : undefined;
    const loc = Array.isArray(finding.loc) ? finding.loc.slice(1, end) : [];
    return { type: String(finding.type), place: loc.join("."), text: String(finding.msg) };
  });
}
