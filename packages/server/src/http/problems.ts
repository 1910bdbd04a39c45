import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ErrorObject } from "ajv";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { isUnavailable } from "../database/database.ts";
import { VconductorError } from "../errors.ts";
import type { App } from "./app.ts";
import { missingBody } from "./body.ts";
import { toFindings } from "./validation.ts";

/** Turns everything that goes wrong into the answer that the caller gets. */
export function addProblems(app: App, log: Logger): void {
  const routes = new RoutePatterns();
  app.addHook("onRoute", (route) => routes.add(route.method, route.url));

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
    const [path = "/", query] = splitUrl(request.url);
    if (path.length > 1 && path.endsWith("/") && routes.methods(path.replace(/\/+$/, "")).length > 0) {
      const target = path.replace(/\/+$/, "").replace(/^\/{2,}/, "/");
      return reply
        .code(307)
        .header("location", query === undefined ? target : `${target}?${query}`)
        .send();
    }
    const methods = routes.methods(path);
    if (methods.length > 0) {
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

function toProblem(error: unknown, request: FastifyRequest): VconductorError | undefined {
  if (error instanceof VconductorError) return error.code === "internal" ? undefined : error;
  if (isUnavailable(error)) {
    return new VconductorError("database_unavailable", "The database is not available; try again shortly", {
      retryAfter: 1,
    });
  }
  if (!(error instanceof Error)) return undefined;
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
  if (status === 415) return new VconductorError("invalid_request", error.message);
  if (status === 503) return new VconductorError("stopping", "The server is stopping", { retryAfter: 1 });
  if (status >= 400 && status < 500) return new VconductorError("bad_request", error.message);
  return undefined;
}

/** A URL that cannot be decoded, or whose parts are too long. */
export function badUrl(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const message = error instanceof Error ? error.message : "Bad Request";
  return answer(reply, new VconductorError("bad_request", message));
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

function splitUrl(url: string): [string, string | undefined] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, undefined] : [url.slice(0, mark), url.slice(mark + 1)];
}

/** Which methods a path has: for telling a wrong method from a wrong path. */
class RoutePatterns {
  readonly #patterns = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  add(method: string | readonly string[], url: string): void {
    const entry = this.#patterns.get(url) ?? { pattern: toPattern(url), methods: new Set<string>() };
    for (const one of [method].flat()) entry.methods.add(one);
    this.#patterns.set(url, entry);
  }

  methods(path: string): readonly string[] {
    const found = [...this.#patterns.values()].filter((entry) => entry.pattern.test(path));
    return [...new Set(found.flatMap((entry) => [...entry.methods]))];
  }
}

function toPattern(url: string): RegExp {
  const parts = url.split("/").map((part) => {
    if (part.startsWith(":")) return "[^/]+";
    return part === "*" ? ".*" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("/")}$`);
}
