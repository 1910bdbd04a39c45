import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../src/command/main.ts", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface Surroundings {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the command as a shell does, in a process of its own. */
export function vcon(
  args: readonly string[],
  { input = "", cwd, env = {} }: Surroundings = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, FORCE_COLOR: "", NO_COLOR: "", VCON_TOKEN: "", ...env },
    stdio: "pipe",
  });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A command that needs no input may be over before it has taken any.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  child.on("error", reject);
  child.on("close", (code) =>
    resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
  );
  return promise;
}

/** What it writes, where it must go well. */
export async function out(args: readonly string[], surroundings: Surroundings = {}): Promise<string> {
  const { code, stdout, stderr } = await vcon(args, surroundings);
  if (code !== 0) throw new Error(`vcon ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout.toString();
}

/** A folder of its own; `remove` it at the end. */
export function makeFolder(): {
  readonly path: string;
  readonly in: (name: string) => string;
  readonly remove: () => void;
} {
  const path = mkdtempSync(join(tmpdir(), "vcon-command-"));
  return {
    path,
    in: (name) => join(path, name),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

export const call = JSON.stringify({
  vcon: "0.4.0",
  uuid: "019daf60-0b52-8b85-b708-0d221ebaf96f",
  created_at: "2026-04-21T09:30:00Z",
  subject: "Refund",
  parties: [
    { name: "Ann Lee", validation: "none", tel: "tel:+12025550101" },
    { name: "Bob Stone", validation: "none" },
  ],
  dialog: [
    {
      type: "text",
      start: "2026-04-21T09:02:11Z",
      parties: [0, 1],
      mediatype: "text/plain",
      encoding: "none",
      body: "Mail ann@example.com please.",
    },
  ],
  analysis: [],
  attachments: [],
});
