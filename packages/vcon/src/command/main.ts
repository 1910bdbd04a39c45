#!/usr/bin/env node
/* The `vcon` command: `vcon --help` says what it does. */
import { CommanderError } from "commander";
import { joinValues } from "./arguments.ts";
import { errorLine, exitCodeOf } from "./exit-codes.ts";
import { progress } from "./input-output.ts";
import { buildProgram } from "./program.ts";

try {
  await buildProgram().parseAsync(joinValues(process.argv.slice(2)), { from: "user" });
} catch (error) {
  progress.done();
  if (error instanceof CommanderError) {
    // It has said what is wrong, or has shown the help that was asked for.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`vcon: ${errorLine(error).replace(/\s*\n\s*/g, " ")}\n`);
    if (process.env.VCON_DEBUG) console.error(error);
    process.exitCode = exitCodeOf(error);
  }
}
progress.done();
