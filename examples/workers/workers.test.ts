import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFailed, test as vitest } from "vitest";
import { kill, openSite, type ServerProcess } from "../../packages/server/test/crash/harness.ts";
import { eventually } from "../../packages/server/test/setup/eventually.ts";

// The example workers as a user starts them: real processes, and a real server that they outlive.

const languages = [
  ["TypeScript", process.execPath, "count-words.ts"],
  ["Python", "python3", "count_words.py"],
] as const;

const settings = { QUEUE: "count-words", LEASE_SECONDS: "2", PACE: "0.15" };

interface Run {
  readonly id: number;
  readonly job_id: number;
  readonly worker: string;
  readonly outcome: string | null;
  readonly result: unknown;
}

const vcon = (uuid: string) => ({
  vcon: "0.4.0",
  uuid,
  created_at: "2026-01-01T00:00:00Z",
  parties: [{ name: "Ann" }, { name: "Bob" }],
  dialog: [
    { type: "text", start: "2026-01-01T00:00:00Z", parties: 0, body: "Is the export still failing?" },
    { type: "text", start: "2026-01-01T00:00:05Z", parties: [1], body: "No,  it works now." },
    { type: "text", start: "2026-01-01T00:00:09Z", parties: 0, body: "Thank you!" },
  ],
});
const words = { 0: 7, 1: 4 };

async function api<Body>(server: ServerProcess, method: string, path: string, body?: unknown): Promise<Body> {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text === "" ? null : JSON.parse(text)) as Body;
}

const runsOf = async (server: ServerProcess) =>
  (await api<{ runs: Run[] }>(server, "GET", "/runs?queue=count-words&limit=1000")).runs;

async function addJobs(server: ServerProcess, count: number): Promise<void> {
  await api(server, "POST", "/queue/count-words?kind=remote");
  for (let n = 0; n < count; n++) {
    await api(server, "PUT", "/queue/count-words", {
      payload: { vcon: vcon(`v${n}`) },
      vcon_uuid: [`v${n}`],
    });
  }
}

/** Each job done once, with the right answer. */
async function expectDoneOnce(server: ServerProcess, count: number): Promise<void> {
  const done = await eventually(async () => {
    const ended = (await runsOf(server)).filter(({ outcome }) => outcome === "done");
    return ended.length >= count ? ended : undefined;
  });
  expect(new Set(done.map(({ job_id }) => job_id)).size).toBe(count);
  expect(done).toHaveLength(count);
  for (const { result } of done) {
    const [analysis] = Object(result).analysis;
    expect(JSON.parse(analysis.body)).toEqual(words);
  }
  expect(await api(server, "GET", "/queue/count-words")).toEqual([]);
}

const isThere = (command: string) => spawnSync(command, ["--version"]).status === 0;

describe.each(languages)("the worker in %s (skipped where that is not installed)", (_, command, file) => {
  const test = vitest.skipIf(!isThere(command));

  async function start(
    server: Pick<ServerProcess, "url">,
    site: Awaited<ReturnType<typeof openSite>>,
    name: string,
    env: Readonly<Record<string, string>> = {},
  ) {
    const child: ChildProcess = spawn(command, [join(import.meta.dirname, file)], {
      env: { PATH: process.env.PATH, ...settings, VCONDUCTOR_URL: server.url, WORKER_NAME: name, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    onTestFailed(() => console.error(`--- ${name} printed:\n${output}`));
    const gone = once(child, "exit");
    site.atEnd(async () => {
      if (child.pid !== undefined) kill(child.pid);
      await gone;
    });
    return { child, gone, output: () => output };
  }

  const isAtWork = (server: ServerProcess, name: string) =>
    eventually(async () => (await runsOf(server)).some((run) => run.worker === name && run.outcome === null));

  /** A server with so many jobs, and a worker that does the first. */
  async function begun(jobs: number, name: string, env: Readonly<Record<string, string>> = {}) {
    const site = await openSite();
    const server = await site.start();
    await addJobs(server, jobs);
    const worker = await start(server, site, name, env);
    await isAtWork(server, name);
    return { site, server, worker };
  }

  test("kill -9 of one loses nothing: another does what it had", async () => {
    // At this pace it is in the middle of its first job whenever it is killed.
    const { site, server, worker: doomed } = await begun(12, "doomed", { PACE: "600" });
    const other = await start(server, site, "other");
    await isAtWork(server, "other");
    doomed.child.kill("SIGKILL");
    await expectDoneOnce(server, 12);
    const runs = await runsOf(server);
    expect(runs.filter(({ outcome }) => outcome === "crashed").map(({ worker }) => worker)).toContain(
      "doomed",
    );
    expect(other.child.exitCode).toBeNull();
  });

  test("goes on through a kill -9 and a restart of the server", async () => {
    const { site, server, worker } = await begun(12, "steady");
    await server.killAll();
    await eventually(() => worker.output().includes("unreachable"));
    const again = await site.start({ REST_URL: server.url });
    await expectDoneOnce(again, 12);
    expect(worker.child.exitCode).toBeNull();
  });

  test("tries again when an answer breaks off", async () => {
    const site = await openSite();
    let asked = 0;
    const breaking = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (request: Buffer) => {
        if (!request.toString().startsWith("POST /work/")) {
          socket.end("HTTP/1.1 204 No Content\r\n\r\n");
          return;
        }
        asked += 1;
        socket.end("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{");
      });
    });
    await new Promise<void>((done) => breaking.listen(0, "127.0.0.1", done));
    site.atEnd(async () => breaking.close());
    const address = breaking.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const worker = await start({ url: `http://127.0.0.1:${port}` }, site, "patient");
    await eventually(() => asked >= 3);
    expect(worker.child.exitCode).toBeNull();
  });

  test("SIGTERM: it finishes what it has, and ends", async () => {
    const { site, server, worker } = await begun(6, "polite");
    worker.child.kill("SIGTERM");
    expect(await worker.gone).toEqual([0, null]);
    const outcomes = (await runsOf(server)).map(({ outcome }) => outcome);
    expect(outcomes.every((outcome) => outcome === "done" || outcome === "released")).toBe(true);
    expect(outcomes).toContain("done");
    const next = await start(server, site, "next");
    await expectDoneOnce(server, 6);
    next.child.kill("SIGTERM");
    expect(await next.gone).toEqual([0, null]);
  });

  test("does a step of a pipeline", async () => {
    const site = await openSite();
    const server = await site.start();
    await api(server, "POST", "/queue/count-words?kind=remote");
    await start(server, site, "stepper");
    await api(server, "POST", "/vcon", vcon("stepped"));
    await api(server, "PUT", "/pipeline/counted", {
      pipeline_options: {},
      processors: [{ processor_name: "service", processor_options: { queue: "count-words" } }],
    });
    await api(server, "POST", "/queue/counted");
    await api(server, "POST", "/server/queue/counted", {});
    await api(server, "PUT", "/queue/counted", { vcon_uuid: ["stepped"] });
    const analysis = await eventually(
      async () => (await api<{ analysis?: { body: string }[] }>(server, "GET", "/vcon/stepped")).analysis,
    );
    expect(analysis).toMatchObject([{ type: "word_count", vendor: "example" }]);
    expect(JSON.parse(analysis[0]?.body ?? "")).toEqual(words);
  });
});
