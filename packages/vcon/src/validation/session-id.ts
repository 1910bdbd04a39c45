import { isArray, isObject, member } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { SESSION_UUID } from "./patterns.ts";
import { about, must, type Path, type Rule, should, shown } from "./rule.ts";

const FORM = 'write {"local": …, "remote": …}, or {} where a party has none';

/** What stands where a SessionId is expected. */
interface Session {
  readonly at: Path;
  readonly value: JsonValue;
}

/** What stands where SessionIds are expected: alone, by party, or by channel and party. */
function* sessionsOf(object: JsonObject): Generator<Session, void> {
  const value = member(object, "session_id") ?? null;
  if (value !== null) yield* spread({ at: ["session_id"], value }, 0);
}

function* spread({ at, value }: Session, depth: number): Generator<Session, void> {
  if (!isArray(value) || depth === 2) {
    yield { at, value };
    return;
  }
  for (const [index, inner] of value.entries())
    yield* spread({ at: [...at, index], value: inner }, depth + 1);
}

export const sessionIdRules: readonly Rule[] = [
  must(
    "session-id",
    about(["session_id"], ({ object }, report) => {
      for (const { at, value } of sessionsOf(object)) {
        if (!isObject(value)) {
          if (!report(at, `${shown(value)} is no SessionId; ${FORM}`, value)) return;
          continue;
        }
        for (const name of ["local", "remote"]) {
          const id = member(value, name);
          if (id === undefined || typeof id === "string") continue;
          report(
            [...at, name],
            `${name} must be a string, not ${shown(id)}; leave out what is not known`,
            id,
          );
        }
      }
    }),
  ),
  should(
    "session-id-uuid",
    about(["session_id"], ({ object }, report) => {
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
  ),
  should(
    "session-id-order",
    about(["session_id"], ({ object }, report) => {
      const sessions = member(object, "session_id") ?? null;
      const parties = member(object, "parties") ?? null;
      if (sessions === null || parties === null || lengthOf(sessions) === lengthOf(parties)) return;
      report(
        ["session_id"],
        "session_id should have the shape of parties, with one SessionId for each party; {} for none",
      );
    }),
  ),
];

function lengthOf(value: JsonValue): number | undefined {
  return isArray(value) ? value.length : undefined;
}
