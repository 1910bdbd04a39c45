import type { Config } from "../config.ts";
import type { MediaStore, ProcessorLog } from "./define.ts";
import { FetchGuard } from "./fetch.ts";
import { JqSandbox } from "./jq/sandbox.ts";
import type { StepServices } from "./step.ts";

/** What a process lends to the processors that it runs, and how that is stopped. */
export interface ProcessServices extends StepServices {
  readonly jq: JqSandbox;
  stop(): Promise<void>;
}

export function stepServices(options: {
  readonly config: Pick<Config, "fetchAllow" | "jqTimeoutSeconds" | "env" | "provider">;
  readonly media: MediaStore;
  readonly log: ProcessorLog;
}): ProcessServices {
  const { config, log, media } = options;
  const guard = new FetchGuard({ allow: config.fetchAllow });
  const jq = new JqSandbox({ timeoutMs: config.jqTimeoutSeconds * 1000 });
  return {
    log,
    fetch: guard.fetch,
    address: (host, port) => guard.address(host, port),
    secret: (name) => config.env[name],
    setting: (name) => config.provider[name],
    media,
    jq,
    async stop() {
      await jq.stop();
      await guard.stop();
    },
  };
}
