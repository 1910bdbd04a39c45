import type { Finding } from "../document/errors.ts";
import type { JsonValue } from "../document/types.ts";
import type { Path, Report, Rule, Severity, Subject } from "./rule.ts";
import type { RuleTable } from "./rule-table.ts";

/** One rule of the draft that a document breaks. `message` is one line: what is wrong, and how to mend it. */
export interface ValidationFinding extends Finding {
  /** A stable name, in kebab-case. */
  readonly rule: string;
  readonly severity: Severity;
  /** Where the draft speaks of it: the object and the parameter, for example "Dialog Object / disposition". */
  readonly section: string;
}

/** Who writes: "strict". Who reads: "lenient". */
export type ValidationMode = "strict" | "lenient";

const MAX_INPUT = 100;

/** Gathers findings, at most `max`. Warnings never take the place of errors. */
export class Findings {
  readonly #mode: ValidationMode;
  readonly #max: number;
  readonly #found: ValidationFinding[] = [];
  #errors = 0;

  constructor(mode: ValidationMode, max: number) {
    this.#mode = mode;
    this.#max = max;
  }

  /** As many errors as fit: there is no need to look further. */
  get full(): boolean {
    return this.#errors >= this.#max;
  }

  /** In the order of the document. */
  get list(): readonly ValidationFinding[] {
    let room = this.#max - this.#errors;
    return this.#found.filter(({ severity }) => {
      if (severity === "error") return true;
      room -= 1;
      return room >= 0;
    });
  }

  /** Looks at one object with every rule of a table. */
  check(table: RuleTable, subject: Subject): void {
    let current: Rule | undefined;
    // One for all of them: most rules have nothing to say.
    const report: Report = (at, message, input) =>
      current !== undefined && this.#add(current, { subject, at, message, input });
    for (const rule of table.about(subject.names)) {
      if (!this.#hasRoom(rule[this.#mode])) continue;
      current = rule;
      rule.check(subject, report);
    }
  }

  #hasRoom(severity: Severity): boolean {
    return (severity === "error" ? this.#errors : this.#found.length - this.#errors) < this.#max;
  }

  #add(
    rule: Rule,
    {
      subject,
      at,
      message,
      input,
    }: { subject: Subject; at: Path; message: string; input: JsonValue | undefined },
  ): boolean {
    const severity = rule[this.#mode];
    if (!this.#hasRoom(severity)) return false;
    if (severity === "error") this.#errors += 1;
    const section = [subject.title, ...at.filter((step) => typeof step === "string")].join(" / ");
    const finding = { rule: rule.rule, severity, section, path: [...subject.path, ...at], message };
    this.#found.push(isScalar(input) ? { ...finding, input: cut(input) } : finding);
    return this.#hasRoom(severity);
  }
}

function isScalar(input: JsonValue | undefined): input is string | number | boolean | null {
  return input === null || ["string", "number", "boolean"].includes(typeof input);
}

function cut(input: string | number | boolean | null): string | number | boolean | null {
  return typeof input === "string" ? input.slice(0, MAX_INPUT).toWellFormed() : input;
}
