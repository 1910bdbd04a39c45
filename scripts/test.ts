/**
 * Everything that is checked, in order, up to the first failure. With arguments it runs only the tests, and hands the
 * arguments to Vitest: `npm test -- crash` runs the test files with "crash" in their path.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, join } from "node:path";

interface Step {
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
}

const root = join(import.meta.dirname, "..");
const bin = join(root, "node_modules", ".bin");
const filters = process.argv.slice(2);

// Vite would otherwise write a bundle of its configuration into node_modules, which may belong to another user.
const vitest = ["run", "--configLoader", "native"];

const checks: readonly Step[] = [
  { title: "Types", command: "tsc", args: ["--noEmit", "-p", "."] },
  { title: "Format and lint", command: "biome", args: ["ci", "."] },
  { title: "Import cycles", command: "oxlint", args: ["--deny-warnings"] },
  { title: "Unused files, exports and dependencies", command: "knip", args: ["--no-progress"] },
  { title: "Generated documents", command: process.execPath, args: ["scripts/docs.ts", "--check"] },
  { title: "Tests", command: "vitest", args: vitest },
];

const steps: readonly Step[] =
  filters.length === 0 ? checks : [{ title: "Tests", command: "vitest", args: [...vitest, ...filters] }];

/** Some of the commands colour their output wherever CI is set, which makes a log unreadable. */
const colours = process.stdout.isTTY ? {} : { NO_COLOR: "1", FORCE_COLOR: "0" };

/** Answers with the exit code, 128 and the signal's number when a signal ended the command. */
function run({ command, args }: Step): Promise<number> {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...colours, PATH: [bin, process.env.PATH].join(delimiter) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const forward = (signal: NodeJS.Signals): boolean => child.kill(signal);
  // Ctrl-C reaches the command too; this process only waits for it.
  const wait = (): void => {};
  process.on("SIGINT", wait).on("SIGTERM", forward).on("SIGHUP", forward);
  return new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code, signal) =>
      done(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  }).finally(() => process.off("SIGINT", wait).off("SIGTERM", forward).off("SIGHUP", forward));
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

const started = performance.now();
for (const [index, step] of steps.entries()) {
  console.log(`\n── ${index + 1}/${steps.length} ${step.title}`);
  const stepStarted = performance.now();
  const code = await run(step);
  if (code !== 0) {
    console.error(
      `\nFAILED after ${seconds(stepStarted)}: ${step.title} (${step.command} ended with ${code})`,
    );
    process.exit(code);
  }
  console.log(`── ${step.title}: ${seconds(stepStarted)}`);
}
console.log(`\nAll passed in ${seconds(started)}.`);
