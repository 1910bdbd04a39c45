import { stringMember } from "../document/json.ts";
import { date, index, memberTypes, missing, string } from "./member-types.ts";
import { dateRules, eachString } from "./member-values.ts";
import { indexRange } from "./references.ts";
import { about, must, oneOf, type Rule, shown } from "./rule.ts";

export const partyEvents = ["join", "drop", "hold", "unhold", "mute", "unmute", "keydown", "keyup"] as const;
export const keyEvents = ["keydown", "keyup"] as const;

/** The Party History Object: what a party did during a dialog. */
export const partyHistoryRules: readonly Rule[] = [
  ...memberTypes({}, { party: index, time: date, event: string, button: string }),
  must("party-history-member-missing", ({ object }, report) => {
    for (const name of missing(object, ["party", "time", "event"])) {
      report([name], `${name} is missing; every entry says party (an index), time and event`);
    }
  }),
  must(
    "party-history-event",
    eachString(["event"], (_name, value, report) => {
      if (partyEvents.some((known) => known === value)) return;
      report(["event"], `event ${shown(value)} is not known; use ${oneOf(partyEvents)}`, value);
    }),
  ),
  must(
    "button-missing",
    about(["event"], ({ object }, report) => {
      const event = stringMember(object, "event");
      if (!keyEvents.some((known) => known === event) || missing(object, ["button"]).length === 0) return;
      report(["button"], `button is missing; say which key the ${event} was of, for example "5"`);
    }),
  ),
  ...dateRules("time"),
  indexRange({ parties: ["party"] }),
];
