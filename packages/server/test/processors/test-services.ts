import { contentHash } from "@vconductor/vcon";
import { readConfig } from "../../src/config.ts";
import type { MediaStore } from "../../src/processors/define.ts";
import { type ProcessServices, stepServices } from "../../src/processors/services.ts";
import type { StepPipeline } from "../../src/processors/step.ts";
import { log } from "./silent-log.ts";

/** Keeps content in memory, at addresses that nobody answers. */
function memoryMedia(): MediaStore {
  const kept = new Map<string, Uint8Array>();
  return {
    async put({ bytes }) {
      const hash = await contentHash(bytes);
      const url = `https://vcons.test/media/${hash.slice("sha512-".length)}`;
      kept.set(url, bytes);
      return { url, contentHash: hash };
    },
    get: async (url) => kept.get(url),
  };
}

/** Retries come at once, so that tests do not wait. */
const quick = { PROVIDER_RETRY_SECONDS: "0.001", PROVIDER_RETRIES: "2" };

/** Real services for processors: guarded fetch, jq, secrets and settings from `env`. To be stopped. */
export function testServices(
  env: Readonly<Record<string, string>> = {},
  media: MediaStore = memoryMedia(),
): ProcessServices {
  return stepServices({ config: readConfig({ ...quick, ...env }), log, media });
}

/** What a processor gets that is no part of a pipeline: paid calls are simply made. */
export const alone: StepPipeline = {
  paid: async (_, call) => (await call()).answer,
  stop: () => {},
  skip: () => {},
  service: () => Promise.reject(new Error("there are no remote workers here")),
  runPipeline: () => Promise.reject(new Error("there are no pipelines here")),
};
