import { type Turn, transcript, UNKNOWN_SPEAKER, type Vcon } from "@vconductor/vcon";

/** The messages by which the reference tells a model what was said: one for each turn, in order of time. */
export function chatMessages(vcon: Vcon, dialogs: readonly number[]): readonly string[] {
  return transcript(vcon)
    .filter((turn) => turn.dialog !== undefined && dialogs.includes(turn.dialog))
    .map(message);
}

function message(turn: Turn): string {
  const party = turn.partyLabel === UNKNOWN_SPEAKER ? "unknown" : turn.partyLabel;
  const said = `${party} said: ${turn.text}`;
  if (turn.source === "dialog")
    return `in chat${turn.start === undefined ? "" : ` at ${time(turn.start)}`}, ${said}`;
  if (turn.start === undefined) return `in a call, ${said}`;
  const end = turn.end === undefined || turn.end === turn.start ? "" : ` to ${time(turn.end)}`;
  return `in a call that took place at ${time(turn.start)}${end}, ${said}`;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
