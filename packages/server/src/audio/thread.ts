/** The thread that decodes and cuts one recording, and then ends. */
import { parentPort, workerData } from "node:worker_threads";
import decode from "audio-decode";
import { cutPlaces } from "./cut.ts";
import { loudest, mix, toRate } from "./samples.ts";
import type { AudioPart, SplitReply, SplitRequest } from "./split.ts";
import { WAV_HEADER_BYTES, writeWav } from "./wav.ts";

/** What services for speech work with; more would only be more to send. */
const HIGHEST_RATE = 16_000;
/** Below this nothing is heard: -60 dB. */
const SILENT = 0.001;

const { bytes, maxBytes, maxSeconds, perChannel }: SplitRequest = workerData;

async function split(): Promise<readonly AudioPart[]> {
  const { channelData, sampleRate } = await decode(bytes);
  if (channelData.length === 0 || (channelData[0]?.length ?? 0) === 0)
    throw new Error("there is no sound in it");
  const rate = Math.min(HIGHEST_RATE, sampleRate);
  const tracks = perChannel
    ? channelData.map((samples, channel) => ({ samples, channel }))
    : [{ samples: mix(channelData), channel: undefined }];
  return tracks
    .filter(({ samples }) => loudest(samples) >= SILENT)
    .flatMap(({ samples, channel }) =>
      partsOf(toRate(samples, { from: sampleRate, to: rate }), { rate, channel }),
    );
}

function partsOf(
  samples: Float32Array,
  { rate, channel }: { readonly rate: number; readonly channel: number | undefined },
): readonly AudioPart[] {
  const most = Math.floor(Math.min(maxSeconds * rate, (maxBytes - WAV_HEADER_BYTES) / 2));
  const ends = cutPlaces(samples, { rate, most });
  return ends.map((end, index) => {
    const start = ends[index - 1] ?? 0;
    return {
      bytes: writeWav(samples.subarray(start, end), rate),
      offset: start / rate,
      duration: (end - start) / rate,
      channel,
    };
  });
}

function reply(message: SplitReply, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

try {
  const parts = await split();
  reply(
    { parts },
    parts.map((part) => part.bytes.buffer).filter((buffer) => buffer instanceof ArrayBuffer),
  );
} catch (error) {
  reply({ failure: error instanceof Error ? error.message : String(error) });
}
