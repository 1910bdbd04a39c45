import type { FastifyReply, FastifyRequest } from "fastify";
import type { GatewayConfig, GatewayService } from "../../config/gateway-config.ts";
import type { App } from "../../http/app.ts";
import { ownRules } from "../../http/face.ts";
import { json } from "../../http/send.ts";
import { prefers } from "./accept.ts";
import { GatewayError, sendHtml, sendPage } from "./problems.ts";
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

/** What there is: the CANARIE information pages. */
export function infoRoutes(app: App, services: GatewayConfig["WORKER_SERVICES"]): void {
  const all = Object.fromEntries(
    Object.entries(services).map(([name, service]) => [
      name,
      Object.fromEntries(shown.map((key) => [key, service[key]]).filter(([, value]) => value !== undefined)),
    ]),
  );
  for (const path of services["."] === undefined ? ["/info", "/service/info"] : ["/service/info"]) {
    app.get(path, { schema: { ...ownRules } }, async (_, reply) =>
      json(reply, { version: apiVersion, services: all }),
    );
  }
  for (const status of [400, 404, 405, 500, 503]) {
    app.get(`/${status}`, { schema: { ...ownRules } }, () => {
      throw new GatewayError("GenericError", `Status ${status}`, status);
    });
  }
}

/** How many workers a service has. */
export type WorkersOf = (name: string, service: GatewayService) => Promise<number>;

/** What a service says of itself. */
export function serviceInfoRoutes(
  app: App,
  { requests, serviceIn, base, workersOf }: ServiceRoutes & { readonly workersOf: WorkersOf },
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

  for (const at of [base, `${base}/service`]) {
    app.get(`${at}/info`, { schema: { ...ownRules } }, async (request, reply) => {
      const { name, service } = serviceIn(request);
      const { version = "", tags = "" } = service;
      return show(request, reply, name, {
        version: `${apiVersion}_${version}`,
        ...Object.fromEntries(texts.map((key) => [key, service[key] ?? ""])),
        tags: tags.split(",").map((tag) => tag.trim()),
        activeWorkers: await workersOf(name, service),
      });
    });

    app.get(`${at}/stats`, { schema: { ...ownRules } }, async (request, reply) => {
      const { name } = serviceIn(request);
      const { count, since = new Date() } = await requests.invocations(name);
      return show(request, reply, name, {
        lastReset: `${since.toISOString().slice(0, 19)}Z`,
        invocations: count,
      });
    });

    for (const page of pages) {
      app.get(`${at}/${page}`, { schema: { ...ownRules } }, async (request, reply) =>
        sendConfigured(reply, serviceIn(request).service[page], page),
      );
    }
  }

  app.get(base === "" ? "/" : `${base}/`, { schema: { ...ownRules } }, async (request, reply) =>
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
