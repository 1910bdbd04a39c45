import { member, stringMember } from "../document/json.ts";
import { isDate, isPlainDate } from "./patterns.ts";
import {
  about,
  type Check,
  type MemberCheck,
  must,
  type Report,
  type Rule,
  type Subject,
  should,
  shown,
} from "./rule.ts";

/* Rules that hold for members of more than one kind of object. */

export function dateRules(...names: readonly string[]): readonly Rule[] {
  return [
    must(
      "date",
      eachString(names, (name, value, report) => {
        if (isDate(value)) return;
        report(
          [name],
          `${name} ${shown(value)} is no date of RFC 3339; write it as 2026-03-04T05:06:07Z`,
          value,
        );
      }),
    ),
    should(
      "date-profile",
      eachString(names, (name, value, report) => {
        if (isPlainDate(value) || !isDate(value)) return;
        const message = `${name} ${shown(value)} should have upper-case T and Z, and a fraction only where it is not zero`;
        report([name], message, value);
      }),
    ),
  ];
}

/** A rule on those of the named members that are strings. */
export function eachString(
  names: readonly string[],
  check: (name: string, value: string, report: Report) => void,
): MemberCheck {
  return about(names, ({ object }, report) => {
    for (const name of names) {
      const value = stringMember(object, name);
      if (value !== undefined) check(name, value, report);
    }
  });
}

/** Names that the members had in older versions, and what they are called now. Nothing else ever had these names. */
export function renamedMembers(names: Readonly<Record<string, string>>): Rule {
  const list = Object.entries(names);
  const check: Check = ({ object }, report) => {
    for (const [old, now] of list) {
      if (member(object, old) !== undefined)
        report([old], `${old} is called ${now} since; rename it (see migrate)`);
    }
  };
  return must("renamed-member", about(Object.keys(names), check));
}

/** Members that the format no longer has, and what to do about them. */
export function removedMembers(names: Readonly<Record<string, string>>): Rule {
  const list = Object.entries(names);
  const check: Check = ({ object }, report) => {
    for (const [name, advice] of list) {
      if (member(object, name) !== undefined)
        report([name], `${name} is no longer part of the format; ${advice}`);
    }
  };
  return should("removed-member", about(Object.keys(names), check));
}

/** Members that only an extension has. Which one cannot be told, so a document that names any is believed. */
export function extensionMembers(...names: readonly string[]): Rule {
  const check: Check = ({ object, whole }, report) => {
    for (const name of names) {
      if (member(object, name) === undefined || declaresExtension(whole)) continue;
      report([name], `${name} belongs to an extension; name that in extensions, for example "CC"`);
    }
  };
  return should("extension-undeclared", about(names, check));
}

function declaresExtension({ document }: Subject["whole"]): boolean {
  const extensions = member(document, "extensions");
  return Array.isArray(extensions) && extensions.length > 0;
}
