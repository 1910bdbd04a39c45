import type { Face } from "../../http/face.ts";
import { dataRoutes } from "./data.ts";
import { ModuleData } from "./module-data.ts";
import { addOpenApi } from "./openapi.ts";
import { Pollers } from "./pollers.ts";
import { addSisyphusProblems } from "./problems.ts";
import { queueRoutes } from "./queue.ts";
import { SisyphusStore } from "./store.ts";
import { workerRoutes } from "./workers.ts";

/** The API of the Sisyphus server. */
export const sisyphus: Face = {
  name: "sisyphus",
  async add(app, options) {
    const { queueDatabase: database, jobs, remoteJobs, serverKey } = options.context;
    const parts = {
      store: new SisyphusStore({ database, jobs, remoteJobs, serverKey }),
      moduleData: new ModuleData(database),
      pollers: new Pollers(database),
    };
    addSisyphusProblems(app, options);
    addOpenApi(app, options);
    queueRoutes(app, options, parts);
    workerRoutes(app, options, parts);
    dataRoutes(app, options, parts);
  },
};
