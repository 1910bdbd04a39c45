import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../setup/eventually.ts";

const program = new URL("../../src/main.ts", import.meta.url);

/** A vConductor in a process of its own, as a user starts it. */
export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it has printed. */
  output(): string;
  /** The process ids of its pipeline workers. */
  workers(): readonly number[];
  /** Ends the server and its workers at once, as a power cut would. */
  killAll(): Promise<void>;
  /** Answers with the exit code. */
  stop(): Promise<number | null>;
}

export async function startServer(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const url = env.REST_URL ?? `http://127.0.0.1:${await freePort()}`;
  const child = spawn(process.execPath, [program.pathname, "serve"], {
    env: { ...process.env, LOG_LEVEL: "warn", LEASE_SECONDS: "5", REST_URL: url, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const workers = () => childrenOf(child.pid);
  const server: ServerProcess = {
    url,
    child,
    output: () => text,
    workers,
    async killAll() {
      const all = [child.pid, ...workers()];
      const gone = once(child, "exit");
      for (const pid of all) if (pid !== undefined) kill(pid);
      if (child.exitCode === null && child.signalCode === null) await gone;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
      return child.exitCode;
    },
  };
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`the server ended: ${text}`);
    return (await fetch(`${url}/health/ready`)).ok;
  });
  return server;
}

/** The pipeline workers among the children of a process, as Linux lists them. */
function childrenOf(pid: number | undefined): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
    return children.filter((child) =>
      readFileSync(`/proc/${child}/cmdline`, "utf8").includes("pipeline-worker"),
    );
  } catch {
    return [];
  }
}

export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

export function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => done(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** A JSON call. Answers with the status and the parsed body. */
export async function call(
  method: string,
  url: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: never; readonly headers: Headers }> {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text === "" ? null : JSON.parse(text)) as never,
    headers: response.headers,
  };
}

/** Processors for these tests: `append` adds one analysis; `gate` waits until a file is there; `crash` kills its process. */
export async function makePlugins(): Promise<{ readonly directory: string; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "vconductor-plugins-"));
  await writeFile(join(directory, "plugins.mjs"), plugins);
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

const plugins = `
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
const about = (name, properties = {}) => ({
  name, title: name, description: name, version: "1.0.0", options: { type: "object", properties },
});
const mark = (io) => {
  const vcon = io.vcon(0);
  vcon.analysis = [...(vcon.analysis ?? []), { type: "mark", vendor: "test", encoding: "none", body: String(Math.random()) }];
  io.update(vcon);
  return io;
};
export default [
  { ...about("append", { ms: { type: "number", default: 0 } }),
    async process(io, options) { await sleep(options.ms); return mark(io); } },
  { ...about("gate", { inside: { type: "string" }, open: { type: "string" } }),
    async process(io, options, context) {
      writeFileSync(options.inside, "");
      while (!existsSync(options.open)) await sleep(10, undefined, { signal: context.signal });
      return mark(io);
    } },
  { ...about("crash"),
    process(io) { if (io.vcon(0).subject === "deadly") process.kill(process.pid, "SIGKILL"); return mark(io); } },
  { ...about("busy"),
    process(io) { if (io.vcon(0).subject === "busy") for (;;); return mark(io); } },
];
`;
