import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vconductor-gateway-config-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** What is said of a configuration with these members of `CELERY`; undefined: it is good. */
async function complaint(CELERY: object): Promise<string | undefined> {
  const file = join(directory, "gateway.json");
  const stub = { celery_queue_name: "q", celery_task_name: "t", transport: "celery" };
  await writeFile(file, JSON.stringify({ CELERY, WORKER_SERVICES: { stub } }));
  try {
    readConfig({ GATEWAY_CONFIG: file });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe("addresses of Celery's broker and results", () => {
  it.each([
    ["amqp://guest:guest@localhost:5672//", "rpc://"],
    ["amqps://u:p@broker.example/v", "amqp"],
    ["pyamqp://broker.example", "rediss://:p@redis.example:6380/1"],
  ])("may be %s and %s", async (BROKER_URL, CELERY_RESULT_BACKEND) => {
    expect(await complaint({ BROKER_URL, CELERY_RESULT_BACKEND })).toBeUndefined();
  });

  it.each([
    ["BROKER_URL", "amqp://u:geheim@localhost:99999//"],
    ["BROKER_URL", "redis://u:geheim@localhost"],
    ["BROKER_URL", "amqp://u:geheim@a;amqp://u:geheim@b"],
    ["CELERY_RESULT_BACKEND", "redis"],
    ["CELERY_RESULT_BACKEND", "redis://"],
    ["CELERY_RESULT_BACKEND", "redis://:geheim@localhost:port"],
    ["CELERY_RESULT_BACKEND", "db+mysql://u:geheim@localhost"],
  ])("%s is not %s: that is said without the password", async (member, value) => {
    const said = await complaint({ BROKER_URL: "amqp://localhost", [member]: value });
    expect(said).toContain(`CELERY.${member}`);
    expect(said).not.toContain("geheim");
  });
});
