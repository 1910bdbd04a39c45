import { extname } from "node:path";
import type { GatewayRequests } from "../../gateway/requests.ts";
import type { App } from "../../http/app.ts";
import { type FaceOptions, ownRules } from "../../http/face.ts";
import { json } from "../../http/send.ts";
import { requireCaller } from "./authentication.ts";
import { fileUrl, receiving, rootOf } from "./files.ts";
import { readForm } from "./form.ts";
import { GatewayError } from "./problems.ts";
import { callbackIn } from "./services.ts";
import type { Draft, TemporaryFiles } from "./temporary-files.ts";
import { freshName } from "./upload-names.ts";

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
      const uuid = await receiving(files, async (receive) => {
        const uploaded = new Map<string, { readonly file: string; readonly draft: Draft }>();
        const fields = await readForm(request, async ({ field, filename, content }) => {
          uploaded.set(field, { file: freshName(extname(filename)), draft: await receive(content) });
        });
        const text = fields.find(([field]) => field === "json")?.[1];
        if (text === undefined)
          throw new GatewayError("MissingParameterError", "The text field json is missing", 422);
        const asked = parse(text);
        const urls = new Map<string, string>();
        for (const [field, { file, draft }] of uploaded) {
          await draft.keep(file);
          urls.set(field, fileUrl(request, { prefix, name: file }));
        }
        const misc: Readonly<Record<string, unknown>> = {
          ...Object(withUploads(asked, urls)),
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
        return await requests.submit({ name, service, caller, message: kept, callback: callbackIn(misc) });
      });
      return json(reply, { uuid });
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
