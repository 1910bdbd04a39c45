import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../http/app.ts";
import type { FaceOptions } from "../../http/face.ts";
import { toProblem } from "../../http/problems.ts";
import { json } from "../../http/send.ts";
import { prefers } from "./accept.ts";

/** The gateway's codes, by the name of the error that they stand for there. */
const codes = {
  GenericError: 101,
  DatabaseError: 102,
  ConfigError: 103,
  ValueError: 105,
  UnknownServiceError: 202,
  UnknownUUIDError: 203,
  VersionMismatchError: 204,
  AMQPError: 205,
  MissingParameterError: 206,
  InvalidUrlError: 207,
} as const;

/** What the gateway answers a mistake with. */
export class GatewayError extends Error {
  override readonly name: keyof typeof codes;
  readonly status: number;

  /** @param status Default: 400 */
  constructor(name: keyof typeof codes, message: string, status = 400) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** Errors as the gateway has them: a description, and a code with a name; as a page for browsers. */
export function addGatewayProblems(app: App, { context, routes }: FaceOptions): void {
  app.setErrorHandler((error, request, reply) => {
    const known = toGatewayError(error, request);
    if (known === undefined) {
      context.log.error({ err: error, id: request.id, url: request.url }, "internal error");
      return answer(request, reply, new GatewayError("GenericError", "Internal error", 500));
    }
    if (known.status === 503) reply.header("retry-after", "1");
    return answer(request, reply, known);
  });
  app.setNotFoundHandler((request, reply) => {
    const methods = routes.methods(request.url.replace(/\?.*$/s, ""));
    if (methods.length === 0 || methods.includes(request.method)) {
      return answer(
        request,
        reply,
        new GatewayError("GenericError", "There is nothing at this address", 404),
      );
    }
    reply.header("allow", methods.join(", "));
    return answer(request, reply, new GatewayError("GenericError", "That is no method of this address", 405));
  });
}

/** A page with a table of what is given. */
export function sendPage(
  reply: FastifyReply,
  title: string,
  rows: Readonly<Record<string, unknown>>,
): FastifyReply {
  const cells = Object.entries(rows).map(
    ([name, value]) =>
      `<tr><th scope="row">${toHtml(name)}</th><td>${toHtml(typeof value === "string" ? value : JSON.stringify(value))}</td></tr>`,
  );
  return sendHtml(
    reply,
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${toHtml(title)}</title><h1>${toHtml(title)}</h1><table>${cells.join("")}</table></html>`,
  );
}

/** Nothing in it runs, and nothing is loaded. */
export function sendHtml(reply: FastifyReply, html: string): FastifyReply {
  return reply
    .type("text/html; charset=utf-8")
    .header(
      "content-security-policy",
      "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'",
    )
    .header("x-content-type-options", "nosniff")
    .send(html);
}

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, name, message }: GatewayError,
): FastifyReply {
  reply.code(status);
  const body = { status, description: message, vesta: { code: codes[name], message: name } };
  return prefers(request, "text/html", { over: ["application/json"] })
    ? sendPage(reply, `Error ${status}`, { description: message, code: codes[name] })
    : json(reply, body);
}

function toGatewayError(error: unknown, request: FastifyRequest): GatewayError | undefined {
  if (error instanceof GatewayError) return error;
  const problem = toProblem(error, request);
  if (problem === undefined) return undefined;
  if (problem.code === "database_unavailable") return new GatewayError("DatabaseError", problem.message, 503);
  if (problem.code === "invalid_options") return new GatewayError("ConfigError", problem.message, 500);
  return new GatewayError(
    problem.status === 422 ? "ValueError" : "GenericError",
    problem.message,
    problem.status,
  );
}

function toHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
