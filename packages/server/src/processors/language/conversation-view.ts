import { type JsonValue, readTags, type Turn, transcript, type Vcon } from "@vconductor/vcon";

/** What prompts can say of a conversation: names in braces that are replaced. */
export const viewNames = ["transcript", "subject", "parties", "date", "tags"] as const;

export interface ConversationView {
  /** What was said and written: a line for each turn, `name: text`. Empty when there is none. */
  readonly transcript: string;
  readonly values: Readonly<Record<(typeof viewNames)[number], string>>;
}

/** @param dialogs what was said in these; transcripts that belong to no dialog count when all of them are named */
export function conversationView(vcon: Vcon, dialogs: readonly number[]): ConversationView {
  const all = dialogs.length >= (vcon.dialog ?? []).length;
  const turns = transcript(vcon).filter(({ dialog }) =>
    dialog === undefined ? all : dialogs.includes(dialog),
  );
  const lines = turns.map((turn) => `${turn.partyLabel}: ${turn.text}`).join("\n");
  return {
    transcript: lines,
    values: {
      transcript: lines,
      subject: typeof vcon.subject === "string" ? vcon.subject : "",
      parties: parties(vcon, turns),
      date: dateOf(turns) ?? String(vcon.created_at ?? ""),
      tags: readTags(vcon).join(", "),
    },
  };
}

function parties(vcon: Vcon, turns: readonly Turn[]): string {
  const names = (vcon.parties ?? []).flatMap(({ name, tel, mailto }) => {
    const label = name ?? tel ?? mailto;
    return typeof label === "string" ? [label] : [];
  });
  return (names.length > 0 ? names : [...new Set(turns.map((turn) => turn.partyLabel))]).join(", ");
}

function dateOf(turns: readonly Turn[]): string | undefined {
  const first = turns.find((turn) => turn.start !== undefined)?.start;
  return first === undefined ? undefined : new Date(first).toISOString();
}

/**
 * A prompt with what is known in place of its names in braces; all else in braces stays as it is, so that a prompt can
 * show JSON. Names of the conversation go before parameters.
 */
export function fillPrompt(
  prompt: string,
  {
    view,
    parameters,
  }: { readonly view: ConversationView; readonly parameters: ReadonlyMap<string, JsonValue> },
): string {
  return prompt.replace(/\{([A-Za-z_]\w*)\}/g, (whole, name: string) => {
    const known = viewNames.find((candidate) => candidate === name);
    if (known !== undefined) return view.values[known];
    const value = parameters.get(name);
    if (value === undefined) return whole;
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}
