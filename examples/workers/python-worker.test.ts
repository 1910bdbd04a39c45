import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { Client } from "../../packages/client/src/index.ts";
import {
  type Asked,
  jobsOf,
  type Said,
  startScriptedServer,
} from "../../packages/client/test/scripted-server.ts";
import { eventually } from "../../packages/server/test/setup/eventually.ts";
import { startTestServer, type TestServer } from "../../packages/server/test/setup/test-server.ts";

// What vconductor_worker.py does with handlers that misbehave, and with a server that is away, busy or not itself.

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A process with a worker. @param handler the lines of its handler, which has `job` and `context` */
function start(url: string, queue: string, handler: readonly string[], settings = "concurrency=1") {
  const script = `
import sys, time
sys.dont_write_bytecode = True
sys.path.insert(0, ${JSON.stringify(import.meta.dirname)})
from vconductor_worker import JobFailed, Worker

def handler(job, context):
${handler.map((line) => `    ${line}`).join("\n")}

Worker(url="${url}", queue="${queue}", handler=handler, lease_seconds=3, drain_seconds=0, ${settings}).run()
`;
  const child = spawn("python3", ["-c", script], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const gone = once(child, "close");
  onTestFailed(() => console.error(`--- the worker printed:\n${output}`));
  ends.push(async () => {
    child.kill("SIGKILL");
    await gone;
  });
  const lines = (text: string) => output.split("\n").filter((line) => line.includes(text));
  return { child, gone, lines };
}

async function serve(say: (asked: Asked) => Said | "nothing") {
  const server = await startScriptedServer(say);
  ends.push(() => server.stop());
  const asked = (what: string, runId?: number) =>
    server.asked.filter((one) => one.what === what && (runId === undefined || one.runId === runId));
  return { url: server.url, asked };
}

describe.skipIf(spawnSync("python3", ["--version"]).status !== 0)(
  "the worker in Python (skipped where that is not installed)",
  () => {
    describe("with a server", () => {
      let server: TestServer;
      let client: Client;
      beforeAll(async () => {
        server = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
        client = new Client({ url: server.url });
      });
      afterAll(() => server.stop());

      const notJson = {
        code: "worker_failed",
        message: expect.stringContaining("cannot be written as JSON: "),
      };

      it("says how each job ended, whatever its handler did; and that its queue is not there yet", async () => {
        const cases: readonly (readonly [lines: readonly string[], outcome: string, error: unknown])[] = [
          [["return {1, 2}"], "failed", notJson],
          [["return float('nan')"], "failed", notJson],
          [["loop = []", "loop.append(loop)", "return loop"], "failed", notJson],
          [["context.queue_job('q', payload={1})"], "failed", notJson],
          [
            ["raise JobFailed('no file', code='Bad Code!', retryable=False)"],
            "retry",
            {
              code: "worker_failed",
              message:
                "the code 'Bad Code!' of a JobFailed is not up to 100 of a-z, 0-9 and _ with a letter first (its message: no file)",
            },
          ],
          [
            ["error = JobFailed('no file', retryable=False)", "error.code = 'Bad Code!'", "raise error"],
            "failed",
            { code: "worker_failed", message: "no file" },
          ],
          [["sys.exit('gone')"], "retry", { code: "worker_failed", message: "gone" }],
          [
            ["raise Exception('\\0' + 'x' * 20000)"],
            "retry",
            { code: "worker_failed", message: "x".repeat(10_000) },
          ],
        ];
        const handler = cases.flatMap(([lines], index) => [
          `if job["payload"] == ${index}:`,
          ...lines.map((line) => `    ${line}`),
        ]);
        const worker = start(server.url, "odd", handler, "concurrency=4");
        await eventually(() => worker.lines("there is no such queue yet").length > 0);
        await client.makeQueue("odd");
        await client.request("PATCH", "/queue/odd", { body: { retry_limit: 1, retry_delay: 3600 } });
        for (const index of cases.keys()) await client.addJob("odd", { payload: index });
        const runs = await eventually(async () => {
          const answer = await client.request("GET", "/runs", { query: { queue: "odd" } });
          const all: { outcome: string | null; error: unknown; job_id: number }[] = Object(answer).runs;
          return all.filter(({ outcome }) => outcome !== null).length === cases.length ? all : undefined;
        });
        const inOrder = runs.toSorted((one, other) => one.job_id - other.job_id);
        expect(inOrder.map(({ outcome, error }) => [outcome, error])).toEqual(
          cases.map(([, outcome, error]) => [outcome, error]),
        );
        expect(worker.lines("there is no such queue yet")).toHaveLength(1);
        expect(worker.lines("unreachable")).toEqual([]);
      });
    });

    it("an outage is told once, and its end once; strange answers are one", async () => {
      let isAway = false;
      const strange = [{ hello: "world" }, "<html>", [], { jobs: 5 }, { jobs: [null] }];
      const server = await serve(({ what }) => {
        if (isAway) return { status: 503 };
        if (what !== "claim") return { body: { cancelled: false, drain: false } };
        const body = strange[server.asked("claim").length - 1];
        if (body !== undefined) return { body };
        if (server.asked("claim").length > strange.length + 1) return "nothing";
        isAway = true;
        return jobsOf(1, 2);
      });
      const handler = [
        "for n in range(100):",
        "    context.progress(float('nan'), 'half\\0 of it')",
        "    context.sleep(0.02)",
      ];
      const worker = start(server.url, "q", handler, "concurrency=2");
      await eventually(
        () => server.asked("complete", 1).length > 2 && server.asked("complete", 2).length > 2,
      );
      expect(worker.lines("unreachable")).toHaveLength(2);
      expect(server.asked("heartbeat")[0]?.body).toEqual({ lease: 3, progress: 0, message: "half of it" });
      isAway = false;
      await eventually(() => worker.lines("reachable again").length === 2);
      await eventually(() => worker.lines(" complete").length === 2);
      expect(worker.lines("unreachable")).toHaveLength(2);
    });

    it.each([429, 503])("waits at least as long as a server asks it to: %i", async (status) => {
      const server = await serve(({ what }) => {
        if (server.asked(what).length === 1) return { status, headers: { "retry-after": "1" } };
        if (what !== "claim") return {};
        return server.asked("complete").length > 0 ? "nothing" : jobsOf(1);
      });
      start(server.url, "q", ["return 1"]);
      await eventually(() => server.asked("complete").length === 2);
      for (const kind of ["claim", "complete"]) {
        const [first, second] = server.asked(kind);
        expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(900);
      }
    });

    it("news of a job does not make it ask a server more often that is away", async () => {
      const server = await serve(({ what }) => {
        if (what === "claim") return server.asked("claim").length > 1 ? "nothing" : jobsOf(1);
        return { status: 503 };
      });
      start(server.url, "q", ["while True:", "    context.progress(50)", "    context.sleep(0.02)"]);
      await eventually(() => server.asked("heartbeat").length >= 4);
      const [first, ...more] = server.asked("heartbeat").map(({ at }) => at);
      let last = first ?? 0;
      for (const at of more) {
        expect(at - last).toBeGreaterThan(900);
        last = at;
      }
    });

    it.each([
      ["hands its job back, and ends", { body: {} }],
      ["ends although the server cannot be told", { status: 503, headers: { "retry-after": "50" } }],
    ])("when a handler goes on in spite of SIGTERM, it %s", async (_, said) => {
      const server = await serve(({ what }) => {
        if (what === "claim") return server.asked("claim").length > 1 ? "nothing" : jobsOf(1);
        return what === "heartbeat" ? { body: { cancelled: false } } : said;
      });
      const worker = start(server.url, "q", ["while True:", "    time.sleep(0.1)"]);
      await eventually(() => server.asked("heartbeat").length > 0);
      worker.child.kill("SIGTERM");
      expect(await worker.gone).toEqual([0, null]);
      expect(server.asked("release").length).toBeGreaterThan(0);
      expect([...server.asked("complete"), ...server.asked("fail")]).toEqual([]);
    });
  },
);
