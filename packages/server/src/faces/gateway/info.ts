import type { FastifyReply, FastifyRequest } from "fastify";
import type { GatewayConfig, GatewayService } from "../../config/gateway-config.ts";
import type { App } from "../../http/app.ts";
import { json } from "../../http/send.ts";
import { prefers } from "./accept.ts";
import { forAWhile } from "./for-a-while.ts";
import { GatewayError, sendHtml, sendPage } from "./problems.ts";
import { readOptions } from "./read-options.ts";
import type { ServiceRoutes } from "./services.ts";

/** The version of the API whose clients this serves. */
const apiVersion = "1.9.3";
const texts = [
  "name",
  "synopsis",
  "institution",
  "releaseTime",
  "supportEmail",
  "category",
  "researchSubject",
] as const;
const pages = ["doc", "releasenotes", "support", "source", "tryme", "licence", "provenance"] as const;
/** What of a service is for everybody. */
const shown = [...texts, "route_keyword", "version", "tags", "noparams"] as const;

/** What there is: of each service, what is for everybody. */
export function overviewOf(services: GatewayConfig["WORKER_SERVICES"]) {
  const all = Object.fromEntries(
    Object.entries(services).map(([name, service]) => [
      name,
      Object.fromEntries(shown.map((key) => [key, service[key]]).filter(([, value]) => value !== undefined)),
    ]),
  );
  return { version: apiVersion, services: all };
}

/** Answers with a status, for the pages of a proxy in front. */
export function statusRoutes(app: App): void {
  for (const status of [400, 404, 405, 500, 503]) {
    app.get(`/${status}`, readOptions(), () => {
      throw new GatewayError("GenericError", `Status ${status}`, status);
    });
  }
}

/** What there has been of requests is counted again after so long: everybody may ask, and there may be many. */
const countedForMs = 10_000;

/** How many workers a service has. */
export type WorkersOf = (name: string, service: GatewayService) => Promise<number>;

/**
 * What a service says of itself: the CANARIE information pages.
 *
 * @param options.overview what `/info` says where there is no service of which it could tell
 */
export function serviceInfoRoutes(
  app: App,
  {
    requests,
    serviceIn,
    base,
    workersOf,
    overview,
  }: ServiceRoutes & { readonly workersOf: WorkersOf; readonly overview: object | undefined },
): void {
  const show = (
    request: FastifyRequest,
    reply: FastifyReply,
    title: string,
    value: Readonly<Record<string, unknown>>,
  ) =>
    prefers(request, "application/json", { over: ["text/html"] })
      ? json(reply, value)
      : sendPage(reply, title, value);

  const counted = forAWhile((name) => requests.invocations(name), { ms: countedForMs });

  for (const at of [base, `${base}/service`]) {
    app.get(`${at}/info`, readOptions(), async (request, reply) => {
      if (overview !== undefined) return json(reply, overview);
      const { name, service } = serviceIn(request);
      const { version = "", tags = "" } = service;
      return show(request, reply, name, {
        version: `${apiVersion}_${version}`,
        ...Object.fromEntries(texts.map((key) => [key, service[key] ?? ""])),
        tags: tags.split(",").map((tag) => tag.trim()),
        activeWorkers: await workersOf(name, service),
      });
    });

    app.get(`${at}/stats`, readOptions(), async (request, reply) => {
      const { name } = serviceIn(request);
      const { count, since = new Date() } = await counted(name);
      return show(request, reply, name, {
        lastReset: `${since.toISOString().slice(0, 19)}Z`,
        invocations: count,
      });
    });

    for (const page of pages) {
      app.get(`${at}/${page}`, readOptions(), async (request, reply) =>
        sendConfigured(reply, serviceIn(request).service[page], page),
      );
    }
  }

  app.get(base === "" ? "/" : `${base}/`, readOptions(), async (request, reply) =>
    sendConfigured(reply, serviceIn(request).service.home, "home"),
  );
}

/** An address is redirected to, `text,404` is that text with that status, anything else is the page. */
function sendConfigured(reply: FastifyReply, value: string | undefined, page: string): FastifyReply {
  if (value === undefined) throw new GatewayError("ConfigError", `${page} is not configured`, 500);
  if (/^https?:/.test(value)) return reply.code(302).header("location", value).send();
  const [, text = "", status] = /^(.*),(\d{3})$/s.exec(value) ?? [];
  if (status !== undefined && Number(status) >= 200 && Number(status) < 600) {
    return Number(status) === 204
      ? reply.code(204).send()
      : reply.code(Number(status)).type("text/plain; charset=utf-8").send(text);
  }
  return sendHtml(reply, value);
}
