import type { Command } from "commander";
import { stringMember } from "../document/json.ts";
import { migrate, versionIndex } from "../document/migrate.ts";
import { toValue, type VconDocument } from "../document/states.ts";
import type { JsonObject } from "../document/types.ts";
import { vconVersions } from "../document/types.ts";
import { type ValidationFinding, validate } from "../validation/validate.ts";
import { optionsOf } from "./edit.ts";
import { progress, readInput, write } from "./input-output.ts";
import { withFile } from "./operands.ts";

interface ValidateFlags {
  readonly lenient?: boolean;
  readonly json?: boolean;
  readonly max: string;
}

/** `vcon validate`. */
export function addValidateCommand(program: Command): void {
  program
    .command("validate")
    .description("check the vCon against the draft; ends with status 1 when there are errors")
    .argument("[file]", "instead of -i")
    .option("--lenient", "only what makes it unusable is an error, the rest are warnings")
    .option("--json", "findings as JSON: path, message, rule, severity, section")
    .option("--max <count>", "the most findings to list", "100")
    .addHelpText("after", "\nExample:\n  vcon validate call.vcon && echo fine")
    .action(async (file: string | undefined, flags: ValidateFlags, command: Command) => {
      const options = withFile(optionsOf(command), file);
      const document = await readInput(options);
      progress.say("Checking");
      const { value, note } = written(document);
      const findings = validate(value, {
        mode: flags.lenient ? "lenient" : "strict",
        maxFindings: Number(flags.max),
      });
      const errors = findings.filter(({ severity }) => severity === "error").length;
      const text = flags.json ? `${JSON.stringify(findings, null, 2)}\n` : report(findings, { errors, note });
      if (errors > 0) process.exitCode = 1;
      await write(text, options);
    });
}

/** What was written down, before anything was mended in reading; an older version is checked as its migration. */
function written(document: VconDocument): { readonly value: JsonObject; readonly note: string } {
  if (!("vcon" in document)) return { value: toValue(document), note: "" };
  const { value } = document.source;
  const version = stringMember(value, "vcon");
  const isOld = version !== undefined && versionIndex(version) < vconVersions.length - 1;
  return isOld
    ? { value: migrate(value), note: ` Version ${version} was checked as 0.4.0.` }
    : { value, note: "" };
}

function report(
  findings: readonly ValidationFinding[],
  { errors, note }: { readonly errors: number; readonly note: string },
): string {
  const lines = findings.map(({ path, message, severity, rule, section }) => {
    return `${severity}: ${pathText(path)}: ${message} [${rule}, ${section}]\n`;
  });
  const warnings = findings.length - errors;
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const sum =
    findings.length === 0 ? "No findings." : `${count(errors, "error")}, ${count(warnings, "warning")}.`;
  return `${lines.join("")}${sum}${note}\n`;
}

function pathText(path: readonly (string | number)[]): string {
  const text = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  return text === "" ? "vCon" : text.replace(/^\./, "");
}
