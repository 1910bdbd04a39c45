import { isArray, isObject, member } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { SESSION_UUID } from "./patterns.ts";
import { must, type Path, type Rule, should, shown } from "./rule.ts";

const FORM = 'write {"local": …, "remote": …}, or {} where a party has none';

/** One SessionId; `wrong` when what stands there is none. */
interface Session {
  readonly at: Path;
  readonly value: JsonValue;
}

/** What stands where SessionIds are expected: alone, by party, or by channel and party. */
function sessionsOf(object: JsonObject): readonly Session[] {
  const given = member(object, "session_id") ?? null;
  if (given === null) return [];
  const outer = spread({ at: ["session_id"], value: given });
  return outer.length === 1 && outer[0]?.value === given ? outer : outer.flatMap(spread);
}

function spread({ at, value }: Session): readonly Session[] {
  return isArray(value)
    ? value.map((inner, index) => ({ at: [...at, index], value: inner }))
    : [{ at, value }];
}

export const sessionIdRules: readonly Rule[] = [
  must("session-id", ({ object }, report) => {
    for (const { at, value } of sessionsOf(object)) {
      if (!isObject(value)) {
        report(at, `${shown(value)} is no SessionId; ${FORM}`, value);
        continue;
      }
      for (const name of ["local", "remote"]) {
        const id = member(value, name);
        if (id === undefined || typeof id === "string") continue;
        report([...at, name], `${name} must be a string, not ${shown(id)}; leave out what is not known`, id);
      }
    }
  }),
  should("session-id-uuid", ({ object }, report) => {
    for (const { at, value } of sessionsOf(object)) {
      for (const name of ["local", "remote"]) {
        const id = isObject(value) ? member(value, name) : undefined;
        if (typeof id !== "string" || SESSION_UUID.test(id)) continue;
        report(
          [...at, name],
          `${name} ${shown(id)} should be 32 hexadecimal digits; 32 zeros for an end without one`,
          id,
        );
      }
    }
  }),
  should("session-id-order", ({ object }, report) => {
    const sessions = member(object, "session_id") ?? null;
    const parties = member(object, "parties") ?? null;
    if (sessions === null || parties === null || lengthOf(sessions) === lengthOf(parties)) return;
    report(
      ["session_id"],
      "session_id should have the shape of parties, with one SessionId for each party; {} for none",
    );
  }),
];

function lengthOf(value: JsonValue): number | undefined {
  return isArray(value) ? value.length : undefined;
}
