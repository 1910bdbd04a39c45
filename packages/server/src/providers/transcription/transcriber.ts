import type { JsonValue } from "@vconductor/vcon";
import type { ProcessorContext } from "../../processors/define.ts";
import type { CallContext } from "../call.ts";

/** What a provider needs of the context of a processor. */
export type TranscriberContext = CallContext & Pick<ProcessorContext, "secret" | "paid">;

export interface Audio {
  readonly bytes: Uint8Array;
  readonly mediatype: string;
  /** With the ending of its kind: some providers go by it. */
  readonly filename: string;
  /** Its length, where it is known. */
  readonly seconds?: number | undefined;
}

export interface TranscriberOptions {
  /** "" is the provider's default. */
  readonly model: string;
  /** BCP 47; "" lets the provider find out. */
  readonly language: string;
  /** Tell voices apart, where provider and model can. */
  readonly diarize: boolean;
  /** Transcribe each channel by itself, for providers that can. */
  readonly multichannel: boolean;
  /** Where an OpenAI-compatible server is, instead of the one in the settings. */
  readonly baseUrl?: string | undefined;
  /** The key for `baseUrl`. */
  readonly apiKey?: string | undefined;
}

export interface NormalWord {
  readonly text: string;
  /** Seconds from the start of the audio, as all times here. */
  readonly start: number;
  readonly end: number;
  /** 0 to 1. */
  readonly confidence?: number | undefined;
  /** As the provider's diarisation calls the voice. */
  readonly speaker?: number | string | undefined;
  readonly channel?: number | undefined;
}

export interface NormalSegment extends NormalWord {}

/** What every provider's answer comes down to. */
export interface NormalTranscript {
  readonly text: string;
  /** BCP 47; undefined when the provider does not say. */
  readonly language: string | undefined;
  readonly duration: number | undefined;
  /** In order of time. Without times of the provider's: one for all. */
  readonly segments: readonly NormalSegment[];
  readonly words: readonly NormalWord[];
}

export interface Transcription {
  /** The provider's answer as it came. */
  readonly vendor: JsonValue;
  /** Names the shape of `vendor`, for the `schema` of an analysis. */
  readonly schema: string;
  readonly model: string;
  readonly transcript: NormalTranscript;
}

/**
 * Has a recording transcribed; a paid call.
 *
 * @throws invalid_options a key or an address is missing; names the variable to set
 * @throws provider_failed, fetch_refused, budget_exceeded
 */
export type Transcriber = (
  context: TranscriberContext,
  audio: Audio,
  options: TranscriberOptions,
) => Promise<Transcription>;

/** How much audio one call takes. */
export interface AudioLimits {
  readonly bytes: number;
  readonly seconds: number;
}

export interface TranscriptionProvider {
  readonly transcribe: Transcriber;
  readonly defaultModel: string;
  /** Takes recordings with several channels apart itself. */
  readonly multichannel: boolean;
  /** Undefined: whole recordings, however long. */
  readonly limits: ((model: string) => AudioLimits) | undefined;
  /** The `vendor` of analyses. */
  readonly vendor: string;
  /** The `product` of analyses. Default: the model. */
  readonly product?: string;
}
