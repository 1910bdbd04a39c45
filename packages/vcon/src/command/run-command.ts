import { CommanderError } from "commander";
import { joinValues } from "./arguments.ts";
import { errorLine, exitCodeOf } from "./exit-codes.ts";
import { progress } from "./input-output.ts";
import { buildProgram } from "./program.ts";

/** Runs the command line; errors become one line on stderr and the exit status. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  try {
    await buildProgram().parseAsync(joinValues(argv), { from: "user" });
  } catch (error) {
    progress.done();
    if (error instanceof CommanderError) {
      // It has said what is wrong, or has shown the help that was asked for.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    process.stderr.write(`vcon: ${errorLine(error).replace(/\s*\n\s*/g, " ")}\n`);
    if (process.env.VCON_DEBUG) console.error(error);
    process.exitCode = exitCodeOf(error);
  }
  progress.done();
}
