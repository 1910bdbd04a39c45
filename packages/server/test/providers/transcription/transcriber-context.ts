import type { JsonValue } from "@vconductor/vcon";
import { afterAll } from "vitest";
import type { Usage } from "../../../src/processors/define.ts";
import type {
  Audio,
  TranscriberContext,
  TranscriberOptions,
} from "../../../src/providers/transcription/transcriber.ts";
import { wav } from "../../doubles/wav.ts";
import { log } from "../../processors/silent-log.ts";
import { testServices } from "../../processors/test-services.ts";

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.splice(0)) await stop();
});

export interface TestContext extends TranscriberContext {
  readonly requests: readonly JsonValue[];
  readonly usage: readonly Usage[];
}

/** A context with real services whose environment is `env`. */
export function contextWith(
  env: Readonly<Record<string, string>>,
  signal = new AbortController().signal,
): TestContext {
  const services = testServices({ FETCH_ALLOW: "127.0.0.1", ...env });
  stops.push(() => services.stop());
  const requests: JsonValue[] = [];
  const usage: Usage[] = [];
  return {
    requests,
    usage,
    signal,
    log,
    mask: (text) => text,
    setting: services.setting,
    secret: services.secret,
    fetch: (url, init = {}) => services.fetch(url, { ...init, signal }),
    async paid(request, call) {
      requests.push(request);
      const paid = await call();
      usage.push(paid.usage);
      return paid.answer;
    },
  };
}

export const audio: Audio = {
  bytes: wav({ seconds: 4 }),
  mediatype: "audio/x-wav",
  filename: "recording.wav",
  seconds: 4,
};

export const options: TranscriberOptions = { model: "", language: "en", diarize: true, multichannel: false };
