import { member, stringMember } from "../document/json.ts";
import { isDate, isPlainDate } from "./patterns.ts";
import { must, type Report, type Rule, type Subject, should, shown } from "./rule.ts";

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
): Rule["check"] {
  return ({ object }, report) => {
    for (const name of names) {
      const value = stringMember(object, name);
      if (value !== undefined) check(name, value, report);
    }
  };
}

/** Names that the members had in older versions, and what they are called now. Nothing else ever had these names. */
export function renamedMembers(names: Readonly<Record<string, string>>): Rule {
  const list = Object.entries(names);
  return must("renamed-member", ({ object }, report) => {
    for (const [old, now] of list) {
      if (Object.hasOwn(object, old)) report([old], `${old} is called ${now} since; rename it (see migrate)`);
    }
  });
}

/** Members that the format no longer has, and what to do about them. */
export function removedMembers(names: Readonly<Record<string, string>>): Rule {
  const list = Object.entries(names);
  return should("removed-member", ({ object }, report) => {
    for (const [name, advice] of list) {
      if (Object.hasOwn(object, name)) report([name], `${name} is no longer part of the format; ${advice}`);
    }
  });
}

/** Members that only an extension has. Which one cannot be told, so a document that names any is believed. */
export function extensionMembers(...names: readonly string[]): Rule {
  return should("extension-undeclared", ({ object, whole }, report) => {
    for (const name of names) {
      if (!Object.hasOwn(object, name) || declaresExtension(whole)) continue;
      report([name], `${name} belongs to an extension; name that in extensions, for example "CC"`);
    }
  });
}

function declaresExtension({ document }: Subject["whole"]): boolean {
  const extensions = member(document, "extensions");
  return Array.isArray(extensions) && extensions.length > 0;
}
