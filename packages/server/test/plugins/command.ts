import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

const program = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

export interface Command {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  /** What it said on both channels. */
  readonly output: () => string;
  /** Its exit status, or the signal that ended it; resolves when nothing that it started writes any more. */
  readonly exit: () => Promise<unknown>;
}

export interface RunCommand {
  /** Settings; those of the test's own environment do not count. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const running = new Set<ChildProcess>();
afterEach(async () => {
  await Promise.all(
    [...running].map(async (child) => {
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    }),
  );
});

/** Runs `vconductor` with these arguments as a process of its own; one that still runs after the test is stopped. */
export function vconductor(args: readonly string[], run: RunCommand = {}): Command {
  return command(process.execPath, [program, ...args], run);
}

export function command(file: string, args: readonly string[], { env = {}, cwd }: RunCommand = {}): Command {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(file, args, {
    env: { PATH, HOME, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  running.add(child);
  const said = { all: "", out: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    said.all += chunk.toString();
    said.out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    said.all += chunk.toString();
  });
  const closed = once(child, "close").finally(() => running.delete(child));
  return {
    child,
    stdout: () => said.out,
    output: () => said.all,
    exit: async () => {
      const [code, signal] = await closed;
      return code ?? signal;
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
