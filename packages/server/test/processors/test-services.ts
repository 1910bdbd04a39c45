import { readConfig } from "../../src/config.ts";
import type { MediaStore } from "../../src/processors/define.ts";
import { type ProcessServices, stepServices } from "../../src/processors/services.ts";
import type { StepPipeline } from "../../src/processors/step.ts";
import { log } from "./silent-log.ts";

const noMedia: MediaStore = {
  put: () => Promise.reject(new Error("there is no media store here")),
  get: async () => undefined,
};

/** Retries come at once, so that tests do not wait. */
const quick = { PROVIDER_RETRY_SECONDS: "0.001", PROVIDER_RETRIES: "2" };

/** Real services for processors: guarded fetch, jq, secrets and settings from `env`. To be stopped. */
export function testServices(
  env: Readonly<Record<string, string>> = {},
  media: MediaStore = noMedia,
): ProcessServices {
  return stepServices({ config: readConfig({ ...quick, ...env }), log, media });
}

/** What a processor gets that is no part of a pipeline: paid calls are simply made. */
export const alone: StepPipeline = {
  paid: async (_, call) => (await call()).answer,
  stop: () => {},
  skip: () => {},
  runPipeline: () => Promise.reject(new Error("there are no pipelines here")),
};
