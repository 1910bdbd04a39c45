/*
 * Which members a dialog of which type has. M must be there, S should, O may be, N should not, X must not.
 * `mediatype` and the content are the business of content.ts where they are allowed.
 */

export const dialogTypes = ["recording", "recording-set", "text", "transfer", "incomplete"] as const;

export type Demand = "M" | "S" | "O" | "N" | "X";

const rows: Readonly<Record<string, readonly [Demand, Demand, Demand, Demand, Demand]>> = {
  //              recording  set  text  transfer  incomplete
  start: /*           */ ["S", "S", "S", "O", "S"], // until draft -03: M for all
  parties: /*         */ ["S", "S", "S", "X", "O"],
  originator: /*      */ ["O", "O", "O", "X", "O"],
  recordings: /*      */ ["X", "M", "X", "X", "X"],
  recording_set: /*   */ ["O", "X", "X", "X", "X"],
  mediatype: /*       */ ["O", "X", "O", "X", "X"],
  filename: /*        */ ["O", "X", "O", "X", "X"],
  body: /*            */ ["O", "X", "O", "X", "X"],
  encoding: /*        */ ["O", "X", "O", "X", "X"],
  url: /*             */ ["O", "X", "O", "X", "X"],
  content_hash: /*    */ ["O", "X", "O", "X", "X"],
  disposition: /*     */ ["N", "N", "N", "N", "M"],
  session_id: /*      */ ["O", "O", "O", "X", "O"],
  party_history: /*   */ ["O", "O", "O", "X", "O"],
  transferee: /*      */ ["X", "X", "X", "S", "X"],
  transferor: /*      */ ["X", "X", "X", "S", "X"],
  original: /*        */ ["X", "X", "X", "S", "X"],
  target_dialog: /*   */ ["X", "X", "X", "S", "X"],
  transfer_target: /* */ ["X", "X", "X", "O", "X"],
  consultation: /*    */ ["X", "X", "X", "O", "X"],
  message_id: /*      */ ["O", "X", "O", "X", "X"],
};

/** The demands on the members of dialogs of one type; undefined when the type is not known. */
export function demandsOf(type: string | undefined): ReadonlyMap<string, Demand> | undefined {
  return byType.get(type);
}

const byType: ReadonlyMap<string | undefined, ReadonlyMap<string, Demand>> = new Map(
  dialogTypes.map((type, column) => [
    type,
    new Map(Object.entries(rows).map(([name, demands]) => [name, demands[column] ?? "O"])),
  ]),
);

/** The members that a demand of the given kind is on; none for a type that is not known. */
export function membersWith(type: string | undefined, demand: "M" | "S"): readonly string[] {
  return byDemand[demand].get(type) ?? [];
}

function listsOf(demand: Demand): ReadonlyMap<string | undefined, readonly string[]> {
  return new Map(
    [...byType].map(([type, demands]) => [
      type,
      [...demands.keys()].filter((name) => demands.get(name) === demand),
    ]),
  );
}

const byDemand = { M: listsOf("M"), S: listsOf("S") } as const;
