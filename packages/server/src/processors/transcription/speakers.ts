import type { Dialog, PartyReference, Vcon } from "@vconductor/vcon";
import type { NormalWord } from "../../providers/transcription/transcriber.ts";

/** Who takes part in a dialog, and on which channel. */
export interface Seating {
  /** Party indices in the order in which voices are numbered; of all parties if the dialog names none. */
  readonly order: readonly number[];
  /** The parties on each channel; none when `parties` is not a list. */
  readonly channels: readonly (readonly number[])[];
  readonly onlyParty: boolean;
  /** Unused channels: `parties` has null in their place. */
  readonly unused: ReadonlySet<number>;
}

export function seatingOf(vcon: Vcon, dialog: Dialog): Seating {
  const { parties } = dialog;
  const present = [...new Set(flatten(parties))];
  const list = isList(parties) ? parties : [];
  return {
    order: present.length > 0 ? present : [...(vcon.parties ?? []).keys()],
    channels: list.map(flatten),
    onlyParty: present.length === 1,
    unused: new Set([...list.keys()].filter((channel) => list[channel] === null)),
  };
}

function flatten(reference: PartyReference | undefined): readonly number[] {
  if (isList(reference)) return reference.flatMap(flatten);
  return typeof reference === "number" && Number.isSafeInteger(reference) && reference >= 0
    ? [reference]
    : [];
}

function isList(reference: PartyReference | undefined): reference is readonly PartyReference[] {
  return Array.isArray(reference);
}

export interface SpeakerOfSegment {
  /** What a transcript calls the speaker: the place of the party in `order`, else what the provider calls the voice. */
  readonly speaker: number | string | undefined;
  /** The party, where it is known for sure. */
  readonly party: number | undefined;
}

/** Who speaks: the dialog's only party, the party of the channel, else a voice that diarisation told apart. */
export function speakerOf(
  { speaker, channel }: Pick<NormalWord, "speaker" | "channel">,
  seating: Seating,
): SpeakerOfSegment {
  const { order, channels, onlyParty } = seating;
  if (onlyParty) return { speaker: 0, party: order[0] };
  if (channel === undefined) return { speaker, party: undefined };
  const present = channels[channel];
  if (present === undefined || present.length === 0) return { speaker: channel, party: undefined };
  const party = present.length === 1 ? present[0] : present[voiceNumber(speaker) ?? -1];
  if (party === undefined) return { speaker: `Channel ${channel}`, party };
  return { speaker: order.indexOf(party), party };
}

/** "A" is voice 0, as 0 is. */
function voiceNumber(voice: number | string | undefined): number | undefined {
  if (typeof voice !== "string") return voice;
  if (/^[A-Z]$/i.test(voice)) return voice.toUpperCase().charCodeAt(0) - "A".charCodeAt(0);
  const digits = /\d{1,4}$/.exec(voice)?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/** A party's name, if it tells this party from the others in the conversation. */
export function tellingName(vcon: Vcon, party: number): string | undefined {
  const names = (vcon.parties ?? []).map(({ name }) => (typeof name === "string" ? name.trim() : ""));
  const own = names[party] ?? "";
  const same = names.filter((name) => name.toLowerCase() === own.toLowerCase());
  return own === "" || own === "anonymous" || same.length > 1 ? undefined : own;
}
