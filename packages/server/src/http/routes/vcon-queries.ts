import { migrate } from "@vconductor/vcon";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { App } from "../app.ts";
import { viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { selectByPath } from "../json-path.ts";
import { answers, VconUuid } from "../schemas.ts";
import { json, jsonText } from "../send.ts";

const tags = ["vCon: Storage CRUD"];
const uuid = Type.Object({ vcon_uuid: VconUuid });
const Program = Type.String({ minLength: 1, maxLength: 10_000, pattern: "^[^\\u0000]*$" });

/** Asking for parts of a vCon. */
export function vconQueryRoutes(app: App, { vcons, jq, config }: HttpContext): void {
  app.get(
    "/vcon/:vcon_uuid/jq",
    {
      schema: {
        scope: ["vcon:read"],
        tags,
        summary: "Run a jq program on a vCon",
        description:
          "Answers with the list of all outputs. The program sees the vCon in the newest version. A signed vCon has to be verified first; an encrypted one appears as its JWE.",
        operationId: "get_vcon_jq",
        params: uuid,
        querystring: Type.Object({ jq_transform: Program }),
        response: answers({ 200: Type.Array(Type.Unknown()) }, 404),
      },
    },
    async (request, reply) => {
      const stored = await vcons.get(request.params.vcon_uuid, { viewer: viewerIn(request) });
      if (stored.form === "signed") {
        throw new VconductorError(
          "invalid_vcon_state",
          "Cannot read Vcon unless current state is UNSIGNED or VERIFIED.  Current state: VconStates.UNVERIFIED",
        );
      }
      const outputs = await jq.run({
        program: request.query.jq_transform,
        input: migrate(JSON.parse(stored.body)),
        timeoutMs: config.jqTimeoutSeconds * 1000,
        signal: request.signal,
      });
      return json(reply, outputs);
    },
  );

  app.get(
    "/vcon/:vcon_uuid/jsonpath",
    {
      schema: {
        scope: ["vcon:read"],
        tags,
        summary: "Select parts of a vCon by a JSONPath",
        description:
          "A path that begins with $ (RFC 9535) answers with the list of matches in the stored document. One without it is taken as a path from the top, and answers with the value itself.",
        operationId: "get_vcon_jsonpath",
        params: uuid,
        querystring: Type.Object({ path_string: Program }),
        response: answers({ 200: Type.Unknown() }, 404),
      },
    },
    async (request, reply) => {
      const { body } = await vcons.get(request.params.vcon_uuid, { viewer: viewerIn(request) });
      const path = request.query.path_string.trim();
      const document = JSON.parse(body);
      if (path.startsWith("$")) {
        return jsonText(reply, selectByPath(path, { document, show: (values) => values }));
      }
      const show = (values: readonly unknown[]) => onlyValue(values, path);
      return jsonText(reply, selectByPath(`$.${path.replace(/^\./, "")}`, { document, show }));
    },
  );
}

function onlyValue(values: readonly unknown[], path: string): unknown {
  if (values.length === 1) return values[0];
  throw new VconductorError(
    "invalid_query",
    `JSONPath: ${path} selects ${values.length > 1 ? "several values" : "nothing"}`,
  );
}
