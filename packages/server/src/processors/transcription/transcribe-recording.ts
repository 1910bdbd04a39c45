import type { Dialog, Vcon } from "@vconductor/vcon";
import { providerOf, type TranscriptionProviderName } from "../../providers/transcription/providers.ts";
import type {
  TranscriberContext,
  TranscriberOptions,
  Transcription,
} from "../../providers/transcription/transcriber.ts";
import type { Recording } from "./fetch-recording.ts";
import { partsOf } from "./parts.ts";
import { type Seating, seatingOf } from "./speakers.ts";
import { stitch, type TranscribedPart } from "./stitch.ts";

export interface HowToTranscribe extends Omit<TranscriberOptions, "multichannel"> {
  readonly provider: TranscriptionProviderName;
  readonly channels: "auto" | "mix" | "separate";
  /** 0: whatever the provider takes. */
  readonly maxPartMinutes: number;
}

export interface ToTranscribe {
  readonly vcon: Vcon;
  readonly dialog: Dialog;
  readonly recording: Recording;
  /** From 0 to 1. */
  progress(done: number, message: string): void;
}

/** One dialog's recording as text, in as many paid calls as the provider needs. */
export async function transcribeRecording(
  context: TranscriberContext,
  { vcon, dialog, recording, progress }: ToTranscribe,
  how: HowToTranscribe,
): Promise<Transcription> {
  const provider = providerOf[how.provider];
  const seating = seatingOf(vcon, dialog);
  const separate = separateChannels(recording, { seating, channels: how.channels });
  const options: TranscriberOptions = {
    ...how,
    multichannel: separate && provider.multichannel,
    diarize: how.diarize && !(separate && oneEach(seating)),
  };
  const parts = await partsOf(recording, {
    limits: provider.limits?.(how.model),
    maxPartMinutes: provider.multichannel ? 0 : how.maxPartMinutes,
    perChannel: separate && !provider.multichannel,
    signal: context.signal,
  });
  const used = parts.filter(({ channel }) => channel === undefined || !seating.unused.has(channel));
  const [first, ...rest] = used;
  if (first === undefined) return silence(recording, how.model || provider.defaultModel);
  const transcribe = async (part: typeof first): Promise<TranscribedPart> => ({
    part,
    transcription: await provider.transcribe(context, part.audio, options),
  });
  const count = rest.length + 1;
  const done: [TranscribedPart, ...TranscribedPart[]] = [await transcribe(first)];
  for (const [index, part] of rest.entries()) {
    progress((index + 1) / count, `part ${index + 2} of ${count}`);
    done.push(await transcribe(part));
  }
  return stitch(done, seating);
}

/** By itself each channel is transcribed when the dialog says who is on which. */
function separateChannels(
  recording: Recording,
  { seating, channels }: { readonly seating: Seating; readonly channels: HowToTranscribe["channels"] },
): boolean {
  const count = recording.channels ?? 1;
  if (count < 2 || channels === "mix") return false;
  return channels === "separate" || seating.channels.length === count;
}

function oneEach({ channels }: Seating): boolean {
  return channels.length > 0 && channels.every((parties) => parties.length <= 1);
}

/** Where nothing is heard there is nothing to ask for, and Whisper would make something up. */
function silence({ seconds }: Recording, model: string): Transcription {
  const duration = seconds ?? 0;
  const vendor = { task: "transcribe", duration, text: "", segments: [], words: [] };
  const transcript = { text: "", language: undefined, duration, segments: [], words: [] };
  return { vendor, transcript, schema: "openai_verbose_json", model };
}
