import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webhookReceiver } from "../../doubles/webhook-receiver.ts";
import { at } from "../../http/call.ts";
import { eventually } from "../../setup/eventually.ts";
import { startTestServer, type TestServer } from "../../setup/test-server.ts";
import { startGateway } from "./start-gateway.ts";

let directory: string;
let server: TestServer;
let receiver: Awaited<ReturnType<typeof webhookReceiver>>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vconductor-needs-"));
  receiver = await webhookReceiver();
  const script =
    'const { SERVICE, NEED, DESIRED } = process.env; require("fs").appendFileSync(process.argv[1], [SERVICE, NEED, DESIRED].join(" ") + "\\n")';
  const config = {
    RUBBER_EVAL_INTERVAL: 1,
    RUBBER_MAX_VM_QTY: 9,
    SCALE_COMMAND: [process.execPath, "-e", script, join(directory, "said")],
    SCALE_WEBHOOK: `${receiver.url}/scale`,
    WORKER_SERVICES: {
      one: {
        celery_queue_name: "one_queue",
        celery_task_name: "one",
        noparams: true,
        rubber_params: { spawn_ratio: 0.5 },
      },
      two: { celery_queue_name: "two_queue", celery_task_name: "two" },
    },
  };
  await writeFile(join(directory, "gateway.json"), JSON.stringify(config));
  server = await startTestServer({
    RUN_BACKGROUND_JOBS: "false",
    GATEWAY_CONFIG: join(directory, "gateway.json"),
  });
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

const needsOf = async (service: string) => {
  const { json } = await server.call("GET", "/gateway/needs");
  return Object(at(json, "services")).find((needs: unknown) => at(needs, "service") === service);
};

describe("GET /gateway/needs", () => {
  it("says what each service needs, has it asked for once, and shows it as metrics", async () => {
    for (let n = 0; n < 10; n++) await server.call("POST", "/gateway/one/process");
    const needs = await eventually(async () => {
      const found = await needsOf("one");
      return at(found, "waiting") === 10 && at(found, "booting") === 5 && at(found, "need") === 0
        ? found
        : undefined;
    });
    expect(needs).toEqual({
      service: "one",
      queue: "one_queue",
      waiting: 10,
      running: 0,
      workers: 0,
      idle: 0,
      arrivals_per_second: expect.closeTo(10 / 600, 5),
      service_seconds: null,
      // Of nine workers that there may be, the first service has five.
      required: 5,
      desired: 5,
      booting: 5,
      need: 0,
      formula: expect.any(Number),
      assessed_at: expect.stringMatching(/Z$/),
      stale: false,
    });
    const metrics = await server.call("GET", "/metrics");
    expect(metrics.text).toContain('vconductor_gateway_desired_workers{service="one"} 5');
    expect(metrics.text).toContain('vconductor_gateway_waiting_jobs{service="one"} 10');
    const said = await eventually(async () => {
      const lines = (await readFile(join(directory, "said"), "utf8")).trim().split("\n");
      return lines
        .filter((line) => line.startsWith("one "))
        .at(-1)
        ?.endsWith(" 5")
        ? lines
        : undefined;
    });
    const ofOne = said.filter((line) => line.startsWith("one ")).map((line) => Number(line.split(" ")[1]));
    expect(ofOne.reduce((sum, need) => sum + need, 0)).toBe(5);
    const posted = receiver.received.map(({ body }) => JSON.parse(String(body)));
    expect(posted).toContainEqual(expect.objectContaining({ service: "one", desired: 5 }));
  });

  it("counts the workers that come, and how long their jobs take", async () => {
    const claimed = await server.call("POST", "/work/one_queue/claim", { body: { worker: "w1", count: 1 } });
    await server.call("POST", "/work/two_queue/claim", { body: { worker: "w2" } });
    const run = at(claimed.json, "jobs", 0, "run_id");
    expect(
      await eventually(async () => {
        const found = await needsOf("one");
        return at(found, "running") === 1 ? found : undefined;
      }),
    ).toMatchObject({ workers: 1, idle: 0, waiting: 9 });
    await server.call("POST", `/work/runs/${run}/complete`, { body: {} });
    const needs = await eventually(async () => {
      const found = await needsOf("one");
      return at(found, "service_seconds") === null ? undefined : found;
    });
    expect(at(needs, "service_seconds")).toBeGreaterThan(0);
  });
});

it("figures that are too old are no metrics any more, but when they were found is", async () => {
  const service = { celery_queue_name: "one_queue", celery_task_name: "one" };
  const gateway = await startGateway({ RUBBER_EVAL_INTERVAL: 86_400, WORKER_SERVICES: { one: service } });
  const database = new pg.Client({ connectionString: gateway.server.database });
  await database.connect();
  try {
    const metrics = async () => (await gateway.server.call("GET", "/metrics")).text;
    const desired = 'vconductor_gateway_desired_workers{service="one"}';
    const fresh = await eventually(async () => {
      const text = await metrics();
      return text.includes(desired) ? text : undefined;
    });
    const at = (text: string) =>
      Number(/vconductor_gateway_assessed_timestamp_seconds\{service="one"\} (\S+)/.exec(text)?.[1]);
    const days = 86_400 * 4;
    await database.query(
      "update vconductor.gateway_scaling set assessed_at = assessed_at - interval '4 days'",
    );
    const stale = await metrics();
    expect(stale).not.toContain(desired);
    expect(at(stale)).toBeCloseTo(at(fresh) - days, 1);
    const needs = await gateway.send("GET", "/needs");
    expect(needs.json).toMatchObject({ services: [{ service: "one", stale: true }] });
  } finally {
    await database.end();
    await gateway.stop();
  }
});
