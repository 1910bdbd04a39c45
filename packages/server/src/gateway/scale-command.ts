import { spawn } from "node:child_process";

/** A command that is told to stop may tidy up for so long. */
const graceMs = 5000;

/** Of our own environment, what a command gets: it has secrets of ours in it. */
const passed = ["PATH", "HOME", "LANG", "TZ"];

/**
 * Runs a program, in a process group of its own: whatever it has started stops with it. What it writes goes nowhere, and no
 * argument is in an error, for both may be secrets.
 *
 * @param options.env what it gets beside a few variables of ours
 * @param options.pass names of more variables of ours
 * @throws Error it could not be run, ended with another code than 0, or was stopped
 */
export async function runCommand(
  [program = "", ...args]: readonly string[],
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly pass: readonly string[];
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
  },
): Promise<void> {
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
  const own = [...passed, ...options.pass].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  const env = { ...Object.fromEntries(own), ...options.env };
  const child = spawn(program, args, { env, detached: true, stdio: "ignore" });
  const kill = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // All of it has ended.
    }
  };
  let patience: NodeJS.Timeout | undefined;
  const stop = () => {
    kill("SIGTERM");
    patience = setTimeout(kill, graceMs, "SIGKILL");
  };
  limit.addEventListener("abort", stop);
  if (limit.aborted) stop();
  const ended = Promise.withResolvers<string | undefined>();
  child.once("error", (error) =>
    ended.resolve(`could not be run: ${"code" in error ? error.code : error.name}`),
  );
  child.once("exit", (code, by) => ended.resolve(code === 0 ? undefined : `ended with ${code ?? by}`));
  const problem = await ended.promise;
  clearTimeout(patience);
  limit.removeEventListener("abort", stop);
  if (limit.aborted) {
    // What did not stop with it.
    kill("SIGKILL");
    throw new Error(`${program} was stopped: it took too long, or the server stops`);
  }
  if (problem !== undefined) throw new Error(`${program} ${problem}`);
}
