import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ErrorObject } from "ajv";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { isUnavailable } from "../database/database.ts";
import { VconductorError } from "../errors.ts";
import type { App } from "./app.ts";
import { missingBody, wrongBody } from "./body.ts";
import type { RoutePatterns } from "./route-patterns.ts";
import { toFindings } from "./validation.ts";

/** Turns everything that goes wrong into the answer that the caller gets. */
export function addProblems(
  app: App,
  { log, routes }: { readonly log: Logger; readonly routes: RoutePatterns },
): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error, request);
    if (problem !== undefined) return answer(reply, problem);
    log.error({ err: error, id: request.id, method: request.method, url: request.url }, "internal error");
    return reply
      .code(500)
      .type("application/json")
      .send(JSON.stringify({ detail: "Internal error", code: "internal", request_id: request.id }));
  });

  app.setNotFoundHandler((request, reply) => {
    const end = request.url.indexOf("?");
    const methods = routes.methods(end < 0 ? request.url : request.url.slice(0, end));
    // A route of this very method can still find nothing: a file of the documentation pages.
    if (methods.length > 0 && !methods.includes(request.method)) {
      reply.header("allow", methods.join(", "));
      return answer(reply, new VconductorError("method_not_allowed", "Method Not Allowed"));
    }
    return answer(reply, new VconductorError("not_found", "Not Found"));
  });
}

function answer(reply: FastifyReply, problem: VconductorError): FastifyReply {
  if (problem.retryAfter !== undefined) reply.header("retry-after", String(problem.retryAfter));
  return reply
    .code(problem.status)
    .type("application/json")
    .send(JSON.stringify(toBody(problem)));
}

function toBody({ detail, code, exceptionClass }: VconductorError) {
  return { detail, code, ...(exceptionClass === undefined ? {} : { exception_class: exceptionClass }) };
}

/** What the caller is told of an error; undefined: nothing, it is a defect. */
export function toProblem(error: unknown, request: FastifyRequest): VconductorError | undefined {
  if (error instanceof VconductorError) return error.code === "internal" ? undefined : error;
  if (isUnavailable(error)) {
    return new VconductorError("database_unavailable", "The database is not available; try again shortly", {
      retryAfter: 1,
    });
  }
  if (!(error instanceof Error)) return undefined;
  if (isUnstorableText(error)) {
    return new VconductorError(
      "invalid_request",
      "Text with NUL characters or broken Unicode cannot be kept",
    );
  }
  if ("validation" in error && Array.isArray(error.validation)) {
    const part = "validationContext" in error ? String(error.validationContext) : "body";
    if (part === "body" && request.body === undefined) return missingBody();
    const errors: readonly ErrorObject[] = error.validation;
    return new VconductorError("invalid_request", "The request is not valid", {
      detail: toFindings(errors, part),
    });
  }
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  if (status === 413) {
    const limit = request.routeOptions.bodyLimit;
    return new VconductorError("too_large", `The body is larger than the limit of ${limit} bytes`);
  }
  if (status === 415) return wrongBody("json_type", "Content-Type should be application/json");
  if (status >= 400 && status < 500) return new VconductorError("bad_request", error.message);
  return undefined;
}

/** PostgreSQL's codes for text that it cannot hold. Most of it is refused earlier, with its place named. */
function isUnstorableText(error: Error): boolean {
  const code = "code" in error ? error.code : undefined;
  if (code === "22021" || code === "22P05") return true;
  return code === "22P02" && "detail" in error && /unicode/i.test(String(error.detail));
}

/** A URL that cannot be decoded, or whose parts are too long. It comes before any hook, so it is answered whole. */
export function badUrl(request: FastifyRequest, reply: FastifyReply): void {
  const detail = "The URL cannot be decoded, or one of its parts is too long";
  const body = Buffer.from(JSON.stringify({ detail, code: "bad_request" }));
  reply.code(400).header("x-request-id", request.id).header("content-type", "application/json").send(body);
}

/** A request that is not HTTP, too slow, or whose headers are too large: there is no request object to answer. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const detail = STATUS_CODES[status] ?? "Bad Request";
  const body = JSON.stringify({ detail, code: "bad_request" });
  socket.end(
    `HTTP/1.1 ${status} ${detail}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
