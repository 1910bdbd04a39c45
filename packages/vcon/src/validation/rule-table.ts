import type { Rule } from "./rule.ts";

const none: readonly number[] = [];

/** The rules on one kind of object, by the members that they are about: most objects have few members, and tables many rules. */
export class RuleTable {
  readonly rules: readonly Rule[];
  /** 1 for a rule that is about any object. */
  readonly #always: Uint8Array;
  readonly #byName = new Map<string, number[]>();
  /** Of the object before: most objects of a list have the same members. */
  #latest: { readonly names: readonly string[]; readonly rules: readonly Rule[] } = { names: [], rules: [] };

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    this.#always = Uint8Array.from(rules, ({ about }) => (about === undefined ? 1 : 0));
    for (const [place, { about }] of rules.entries()) {
      for (const name of about ?? []) this.#byName.set(name, [...(this.#byName.get(name) ?? []), place]);
    }
  }

  /** The rules that may have something to say on an object with members of these names, in their order. */
  about(names: readonly string[]): readonly Rule[] {
    const latest = this.#latest;
    if (isSame(latest.names, names)) return latest.rules;
    const wanted = this.#always.slice();
    for (const name of names) {
      for (const place of this.#byName.get(name) ?? none) wanted[place] = 1;
    }
    const rules = this.rules.filter((_rule, place) => wanted[place] === 1);
    this.#latest = { names, rules };
    return rules;
  }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return (
    some.length > 0 && some.length === others.length && some.every((name, place) => name === others[place])
  );
}
