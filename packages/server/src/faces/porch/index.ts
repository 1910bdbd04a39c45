import type { Face } from "../../http/face.ts";
import { ownRules } from "../../http/face.ts";
import { json } from "../../http/send.ts";
import { porchOpenApi } from "./openapi.ts";
import { pipelineRoutes } from "./pipelines.ts";
import { addPorchProblems } from "./problems.ts";
import { taskRoutes } from "./tasks.ts";
import { uiRoutes } from "./ui.ts";

/** The API of npg_porch. */
export const porch: Face = {
  name: "porch",
  async add(app, options) {
    app.decorateRequest("ledgerToken", undefined);
    addPorchProblems(app, options);
    pipelineRoutes(app, options);
    taskRoutes(app, options);
    uiRoutes(app, options);
    app.get("/api/v1/openapi.json", { schema: ownRules }, async (_, reply) => {
      const servers = [{ url: options.prefix === "" ? "/" : options.prefix }];
      return json(reply, { ...porchOpenApi, servers });
    });
  },
};
