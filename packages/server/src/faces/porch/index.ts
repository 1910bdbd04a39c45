import type { Face } from "../../http/face.ts";
import { ownRules } from "../../http/face.ts";
import { json } from "../../http/send.ts";
import { requireStorable } from "../../http/storable.ts";
import { porchOpenApi } from "./openapi.ts";
import { pipelineRoutes } from "./pipelines.ts";
import { addPorchProblems } from "./problems.ts";
import { taskRoutes } from "./tasks.ts";
import { uiRoutes } from "./ui.ts";

const document = "api/v1/openapi.json";

/** The API of npg_porch. */
export const porch: Face = {
  name: "porch",
  async add(app, options) {
    app.decorateRequest("ledgerToken", undefined);
    addPorchProblems(app, options);
    app.addHook("preValidation", async ({ is404, params, query }) => {
      if (is404) return;
      requireStorable(params ?? {}, ["path"]);
      requireStorable(query ?? {}, ["query"]);
    });
    // Whoever watches an npg_porch asks for this page.
    app.get("/", { schema: ownRules }, async (_, reply) =>
      json(reply, {
        name: porchOpenApi.info.title,
        on: `vConductor ${options.context.version.vconductor}`,
        openapi: document,
      }),
    );
    pipelineRoutes(app, options);
    taskRoutes(app, options);
    uiRoutes(app, options);
    app.get(`/${document}`, { schema: ownRules }, async (_, reply) => {
      const servers = [{ url: options.prefix === "" ? "/" : options.prefix }];
      return json(reply, { ...porchOpenApi, servers });
    });
  },
};
