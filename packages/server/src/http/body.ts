import { exceedsDepth } from "@vconductor/vcon";
import type { FastifyRequest } from "fastify";
import type { Config } from "../config.ts";
import { VconductorError } from "../errors.ts";
import type { App } from "./app.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The body as text, where there was one. */
    bodyText: string | undefined;
    /** The body as it came, for routes that check its signature. */
    bodyBytes: Buffer | undefined;
  }
  interface FastifyContextConfig {
    /** The body is a vCon document: the handler reads it from `bodyText` itself. */
    readonly vconBody?: boolean;
    /** The bytes of the body are kept as well. */
    readonly keepsBytes?: boolean;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const vconTypes = /^application\/(vcon|[\w.-]+\+json)$/;

/**
 * Bodies are JSON: with `application/json` or with no Content-Type at all, as existing clients send them. The text
 * is kept, because a vCon is stored exactly as it came. Plain `JSON.parse` is safe here: it makes `__proto__` an
 * ordinary member, and nothing merges bodies into other objects.
 */
export function addBodyParser(app: App, config: Pick<Config, "maxNesting">): void {
  app.decorateRequest("bodyText", undefined);
  app.decorateRequest("bodyBytes", undefined);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, async (request: FastifyRequest, body: Buffer) => {
    const wanted = request.routeOptions.schema?.body !== undefined;
    // What a route has no use for is not looked at, whatever it is.
    if (body.length === 0 || !wanted) return undefined;
    const type = mediaType(request.headers["content-type"]);
    const isVcon = request.routeOptions.config.vconBody === true;
    if (type !== "" && type !== "application/json" && !(isVcon && vconTypes.test(type))) {
      throw wrongBody("json_type", `Content-Type should be application/json, not ${type.slice(0, 100)}`);
    }
    const text = decode(body);
    request.bodyText = text;
    if (request.routeOptions.config.keepsBytes === true) request.bodyBytes = body;
    if (isVcon) return {};
    if (exceedsDepth(text, config.maxNesting)) {
      throw wrongBody("json_depth", `The body nests deeper than ${config.maxNesting} levels`);
    }
    return parseBody(text);
  });
}

/** @throws invalid_request in the reference's list form, with where the mistake is */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
    throw new VconductorError("invalid_request", `JSON decode error: ${message}`, {
      detail: [
        { type: "json_invalid", loc: ["body", position], msg: `JSON decode error: ${message}`, input: {} },
      ],
    });
  }
}

export function missingBody(): VconductorError {
  return wrongBody("missing", "Field required");
}

function decode(body: Buffer): string {
  try {
    // A byte order mark at the start is taken off.
    return decoder.decode(body);
  } catch {
    throw wrongBody("json_encoding", "The body should be JSON in UTF-8");
  }
}

/** A finding about the body as a whole. */
export function wrongBody(type: string, msg: string): VconductorError {
  return new VconductorError("invalid_request", msg, { detail: [{ type, loc: ["body"], msg, input: null }] });
}

function mediaType(header: string | undefined): string {
  const end = header?.indexOf(";") ?? -1;
  return (end < 0 ? (header ?? "") : (header ?? "").slice(0, end)).trim().toLowerCase();
}
