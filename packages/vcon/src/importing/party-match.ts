import { stringMember } from "../document/json.ts";
import { partyKey } from "../document/parties.ts";
import type { Party } from "../document/types.ts";

const addressKinds = ["mailto", "tel", "sip"] as const;
type AddressKind = (typeof addressKinds)[number];
/** What is added to a party that is there when the same one comes again and is better known. */
const fillable = [...addressKinds, "name"] as const;

/**
 * Parties that can be found again: by the same mailto, else tel, else sip address; by the same name only when one of
 * the two has no address at all, since two people may share a name.
 */
export class PartyBook {
  readonly #parties: Party[];
  readonly #known = new Map<string, number>();
  readonly #named = new Map<string, number[]>();
  /** Those of them that had no address when they came. */
  readonly #unaddressed = new Map<string, number[]>();
  /** Parties from here on came with what is being added: they are not told apart by a name alone. */
  #firstNew: number;

  constructor(parties: readonly Party[]) {
    this.#parties = [...parties];
    this.#firstNew = parties.length;
    for (const index of parties.keys()) this.#enter(index);
  }

  get parties(): readonly Party[] {
    return this.#parties;
  }

  /** Call it before each import: what the one before added counts as being there. */
  settle(): void {
    this.#firstNew = this.#parties.length;
  }

  /** The index of the party, which is added when it is nobody that is known. */
  place(party: Party): number {
    const found = this.#find(party);
    if (found === undefined) {
      this.#parties.push(party);
      this.#enter(this.#parties.length - 1);
      return this.#parties.length - 1;
    }
    this.#fill(found, party);
    return found;
  }

  #find(party: Party): number | undefined {
    for (const kind of addressKinds) {
      const key = addressKey(kind, party);
      const index = key === undefined ? undefined : this.#known.get(key);
      if (index !== undefined && !this.#differs(party, index, kind)) return index;
    }
    const key = nameKey(party);
    if (key === undefined) return undefined;
    const addressed = hasAddress(party);
    const list = (addressed ? this.#unaddressed : this.#named).get(key);
    return list?.find((index) => {
      return index < this.#firstNew && !(addressed && hasAddress(this.#parties[index] ?? {}));
    });
  }

  /** A telephone may be shared: parties whose mailto differs are two, whatever number they use. */
  #differs(party: Party, index: number, kind: AddressKind): boolean {
    const other = this.#parties[index] ?? {};
    return addressKinds.slice(0, addressKinds.indexOf(kind)).some((better) => {
      const [ours, theirs] = [addressKey(better, party), addressKey(better, other)];
      return ours !== undefined && theirs !== undefined && ours !== theirs;
    });
  }

  #fill(index: number, party: Party): void {
    const there = this.#parties[index] ?? {};
    const news = fillable.filter((name) => !stringMember(there, name) && stringMember(party, name));
    if (news.length === 0) return;
    this.#parties[index] = {
      ...there,
      ...Object.fromEntries(news.map((name) => [name, stringMember(party, name) ?? null])),
    };
    this.#enter(index);
  }

  #enter(index: number): void {
    const party = this.#parties[index] ?? {};
    for (const kind of addressKinds) {
      const key = addressKey(kind, party);
      if (key !== undefined && !this.#known.has(key)) this.#known.set(key, index);
    }
    const key = nameKey(party);
    if (key === undefined) return;
    enter(this.#named, { key, index });
    if (!hasAddress(party)) enter(this.#unaddressed, { key, index });
  }
}

/** Indices come in rising order, but for parties that got their name later; those may be entered twice. */
function enter(
  lists: Map<string, number[]>,
  { key, index }: { readonly key: string; readonly index: number },
): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [index]);
  else if (list.at(-1) !== index) list.push(index);
}

/** Nothing by which it could be found again. */
export function isNobody(party: Party): boolean {
  return !hasAddress(party) && nameKey(party) === undefined;
}

function hasAddress(party: Party): boolean {
  return addressKinds.some((kind) => addressKey(kind, party) !== undefined);
}

function addressKey(kind: AddressKind, party: Party): string | undefined {
  const value = stringMember(party, kind);
  if (value === undefined) return undefined;
  if (kind !== "sip") return partyKey(kind, value);
  const address = value
    .trim()
    .replace(/^sips?:/i, "")
    .split(/[;?]/)[0]
    ?.toLowerCase();
  return address ? `sip:${address}` : undefined;
}

/** "anonymous" is no name: it says that the party is hidden. */
function nameKey(party: Party): string | undefined {
  const name = stringMember(party, "name");
  const key = name === undefined ? undefined : partyKey("name", name);
  return key === "name:anonymous" ? undefined : key;
}
