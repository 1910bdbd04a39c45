import type { FastifyRequest } from "fastify";
import type { GatewayService } from "../../config/gateway-config.ts";
import type { GatewayRequests } from "../../gateway/requests.ts";
import type { App } from "../../http/app.ts";
import { type FaceOptions, ownRules } from "../../http/face.ts";
import { json } from "../../http/send.ts";
import { prefers } from "./accept.ts";
import { requireCaller } from "./authentication.ts";
import { fieldsIn } from "./fields.ts";
import { GatewayError } from "./problems.ts";
import { readOptions } from "./read-options.ts";

/** Services, by the name in their addresses; the one called `.` is at the root. */
export interface Named {
  readonly name: string;
  readonly service: GatewayService;
}

/** What routes of services have in common. */
export interface ServiceRoutes {
  readonly requests: GatewayRequests;
  /** @throws GatewayError there is no such service */
  readonly serviceIn: (request: FastifyRequest) => Named;
  /** Before all of these: `/:service`, or nothing for the service at the root. */
  readonly base: string;
}

/** What a request asks, of which service. */
interface Question {
  readonly fields: ReadonlyMap<string, string>;
  /** A JSON object that was sent as the body. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly storageId: string | undefined;
}

/** Asking services to do something, and how that stands. */
export function serviceRoutes(
  app: App,
  { context }: FaceOptions,
  { requests, serviceIn, base }: ServiceRoutes,
): void {
  const { config, values } = context;

  for (const kind of ["annotate", "process"] as const) {
    for (const path of [`${base}/${kind}`, `${base}/${kind}/:storage_doc_id`]) {
      app.post(path, { schema: { ...ownRules } }, async (request, reply) => {
        const caller = await requireCaller(request, context);
        const { name, service } = serviceIn(request);
        const { fields, body } = await fieldsIn(request);
        const { storage_doc_id: storageId } = Object(request.params);
        const question: Question = { fields, body: kind === "process" ? body : {}, storageId };
        const message = messageFor(question, {
          kind,
          service,
          config: config.gateway ?? { WORKER_SERVICES: {} },
        });
        const uuid = await requests.submit({
          name,
          service,
          caller,
          message: await values.keep(message),
          callback: callbackIn(message.service.misc),
        });
        return json(reply, { uuid });
      });
    }
  }

  const statusOf = async ({ request: asked, service }: Awaited<ReturnType<typeof found>>) => {
    const { state, result } = await requests.status(asked, service);
    if (state === "PROGRESS") requireVersion(result, service);
    return {
      uuid: asked.id,
      status: state,
      result: state === "SUCCESS" ? await values.read(result) : result,
    };
  };

  app.get(`${base}/status`, readOptions(), async (request, reply) => {
    const status = await statusOf(await found(request, requests, serviceIn(request)));
    // Browsers take XML too, and are given JSON.
    return prefers(request, "application/xml", { over: ["application/json", "text/html"] })
      ? reply.type("application/xml").send(xmlOf(status))
      : json(reply, status);
  });

  app.get(`${base}/cancel`, { schema: { ...ownRules } }, async (request, reply) => {
    await requireCaller(request, context);
    const asked = await found(request, requests, serviceIn(request));
    return json(
      reply,
      await statusOf({ ...asked, request: await requests.cancel(asked.request, asked.service) }),
    );
  });
}

/** Where to say that it has ended. A body may have anything there: what is no address of the web is not called. */
export function callbackIn({ callback_url: url }: { readonly callback_url?: unknown }): string | undefined {
  return typeof url === "string" && /^https?:$/.test(URL.parse(url)?.protocol ?? "") ? url : undefined;
}

async function found(request: FastifyRequest, requests: GatewayRequests, { name, service }: Named) {
  const { uuid } = Object(request.query);
  if (typeof uuid !== "string" || uuid === "")
    throw new GatewayError("MissingParameterError", "The parameter uuid is missing");
  const known = await requests.find(uuid, name);
  if (known === undefined)
    throw new GatewayError("UnknownUUIDError", `Nothing is known of the uuid ${uuid.slice(0, 100)}`);
  return { request: known, service };
}

/** @throws GatewayError the worker that does it is of another version than the service is said to be of */
function requireVersion(progress: unknown, { version }: GatewayService): void {
  const { worker_id_version: actual } = Object(progress);
  if (version === undefined || typeof actual !== "string" || actual === version) return;
  const text = `The worker is of version ${actual.slice(0, 100)}, and the service of version ${version}`;
  throw new GatewayError("VersionMismatchError", text);
}

/** What the worker gets: the body of a message of the gateway. */
function messageFor(
  { fields, body, storageId }: Question,
  {
    kind,
    service,
    config,
  }: {
    readonly kind: "annotate" | "process";
    readonly service: GatewayService;
    readonly config: Record<"WORKER_SERVICES", unknown> & {
      readonly GET_STORAGE_DOC_REQ_URL?: string;
      readonly POST_STORAGE_DOC_REQ_URL?: string;
      readonly POST_ANNOTATIONS_REQ_URL?: string;
    };
  },
) {
  const misc: Record<string, unknown> = { ...body };
  for (const [name, value] of fields) {
    if (name.endsWith("_url") && !isUrl(value)) {
      throw new GatewayError("InvalidUrlError", `${name} is no address: ${value.slice(0, 200)}`);
    }
    misc[name] = value;
  }
  for (const [name, value] of fields) {
    const [, stored] = /^storage_(.+)_id$/.exec(name) ?? [];
    if (stored === undefined) continue;
    delete misc[name];
    // An address that is given itself is what is meant.
    if (fields.has(`${stored}_url`)) continue;
    misc[`${stored}_url`] = filled(config.GET_STORAGE_DOC_REQ_URL, value, "GET_STORAGE_DOC_REQ_URL");
  }
  const given = fields.get("doc_url");
  const url =
    storageId === undefined
      ? given
      : filled(config.GET_STORAGE_DOC_REQ_URL, storageId, "GET_STORAGE_DOC_REQ_URL");
  if (url === undefined && !(kind === "process" && service.noparams === true)) {
    throw new GatewayError("MissingParameterError", `doc_url is missing from /${kind}`);
  }
  const annotations = fields.get("ann_doc_id");
  if (config.POST_STORAGE_DOC_REQ_URL !== undefined) misc.upload_url = config.POST_STORAGE_DOC_REQ_URL;
  return {
    request_time: new Date().toISOString().slice(0, 19),
    service: {
      type: service.celery_task_name,
      document: { url: url ?? null, credentials: null },
      misc,
    },
    annotation_service: {
      url:
        annotations === undefined
          ? null
          : filled(config.POST_ANNOTATIONS_REQ_URL, annotations, "POST_ANNOTATIONS_REQ_URL"),
      uuid: null,
      credentials: null,
    },
  };
}

/** A template with its one placeholder, `{…}`, replaced by an id. */
function filled(template: string | undefined, id: string, setting: string): string {
  if (template === undefined) throw new GatewayError("ConfigError", `${setting} is not configured`, 500);
  return template.replace(/\{\w*\}/, encodeURIComponent(id));
}

/** With scheme, host and path, which may be a mere slash. */
function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+\//i.test(text) && URL.canParse(text);
}

function xmlOf({
  uuid,
  status,
  result,
}: {
  readonly uuid: string;
  readonly status: string;
  readonly result: unknown;
}): string {
  return `<?xml version="1.0" encoding="UTF-8"?><process_status>${element("uuid", uuid)}${element("status", status)}${element("result", result)}</process_status>`;
}

function element(name: string, value: unknown): string {
  const tag = /^[A-Za-z_][\w.-]*$/.test(name) ? name : "item";
  if (Array.isArray(value))
    return `<${tag}>${value.map((entry) => element("item", entry)).join("")}</${tag}>`;
  if (typeof value === "object" && value !== null) {
    return `<${tag}>${Object.entries(value)
      .map(([key, entry]) => element(key, entry))
      .join("")}</${tag}>`;
  }
  const text = value === null ? "" : String(value);
  return `<${tag}>${text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)}</${tag}>`;
}
