import type { Config } from "../config.ts";
import type { ProcessorLog } from "./define.ts";
import { FetchGuard } from "./fetch.ts";
import { JqSandbox } from "./jq/sandbox.ts";
import type { StepServices } from "./step.ts";

/** What a process lends to the processors that it runs, and how that is stopped. */
export interface ProcessServices extends StepServices {
  readonly jq: JqSandbox;
  stop(): Promise<void>;
}

export function stepServices(options: {
  readonly config: Pick<Config, "fetchAllow" | "jqTimeoutSeconds" | "env">;
  readonly log: ProcessorLog;
}): ProcessServices {
  const { config, log } = options;
  const guard = new FetchGuard({ allow: config.fetchAllow });
  const jq = new JqSandbox({ timeoutMs: config.jqTimeoutSeconds * 1000 });
  return {
    log,
    fetch: guard.fetch,
    secret: (name) => config.env[name],
    jq,
    async stop() {
      await jq.stop();
      await guard.stop();
    },
  };
}
