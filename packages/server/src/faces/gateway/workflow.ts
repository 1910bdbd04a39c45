import { extname } from "node:path";
import type { GatewayRequests } from "../../gateway/requests.ts";
import type { App } from "../../http/app.ts";
import { type FaceOptions, ownRules } from "../../http/face.ts";
import { json } from "../../http/send.ts";
import { requireCaller } from "./authentication.ts";
import { textOf } from "./fields.ts";
import { freshName, rootOf, type TemporaryFiles } from "./files.ts";
import { GatewayError } from "./problems.ts";
import { callbackIn } from "./services.ts";

const name = "simple_workflow";

/** Several services one after the other, with files: a worker of the service simple_workflow does it. */
export function workflowRoutes(
  app: App,
  { context, prefix }: FaceOptions,
  { requests, files }: { readonly requests: GatewayRequests; readonly files: TemporaryFiles },
): void {
  for (const path of ["/simple_workflow/process", "/service_workflow/process"]) {
    app.post(path, { schema: { ...ownRules } }, async (request, reply) => {
      const caller = await requireCaller(request, context);
      const service = context.config.gateway?.WORKER_SERVICES[name];
      if (service === undefined) throw new GatewayError("UnknownServiceError", `There is no service ${name}`);
      const uploaded = new Map<string, string>();
      let text: string | undefined;
      if (request.isMultipart()) {
        for await (const part of request.parts()) {
          if (part.type === "file") {
            const file = freshName(extname(part.filename));
            await files.put(file, part.file);
            uploaded.set(
              part.fieldname,
              `${rootOf(request, prefix)}/temporary_file/${encodeURIComponent(file)}`,
            );
          } else if (part.fieldname === "json") text ??= textOf(part.value);
        }
      }
      if (text === undefined)
        throw new GatewayError("MissingParameterError", "The text field json is missing", 422);
      const misc: Readonly<Record<string, unknown>> = {
        ...Object(withUploads(parse(text), uploaded)),
        stateful: false,
        sg_url: rootOf(request, prefix),
        sg_token: request.headers.authorization ?? "",
      };
      const message = {
        request_time: new Date().toISOString().slice(0, 19),
        service: { type: service.celery_task_name, document: { url: null, credentials: null }, misc },
        annotation_service: { url: null, uuid: null, credentials: null },
      };
      const kept = await context.values.keep(message);
      return json(reply, {
        uuid: await requests.submit({ name, service, caller, message: kept, callback: callbackIn(misc) }),
      });
    });
  }
}

/** The addresses of the uploaded files, wherever a text is the name of their form field. Names of members stay. */
function withUploads(value: unknown, uploaded: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return uploaded.get(value) ?? value;
  if (Array.isArray(value)) return value.map((entry) => withUploads(entry, uploaded));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withUploads(entry, uploaded)]));
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "services" in value && Array.isArray(value.services))
      return value;
  } catch (error) {
    throw new GatewayError(
      "ValueError",
      `json is no JSON: ${error instanceof Error ? error.message : error}`,
      422,
    );
  }
  throw new GatewayError("ValueError", "json should be an object with a list of services", 422);
}
