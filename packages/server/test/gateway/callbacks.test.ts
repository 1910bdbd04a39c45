import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, it } from "vitest";
import { webhookReceiver } from "../doubles/webhook-receiver.ts";
import { at } from "../http/call.ts";
import { eventually } from "../setup/eventually.ts";
import { startTestServer } from "../setup/test-server.ts";

it("callbacks of the gateway come to whoever answers while others take their time", async () => {
  const receiver = await webhookReceiver();
  let given = 0;
  // Never answers; each call is given up after a while.
  const slow = createServer((request) => {
    request.socket.once("close", () => given++);
  }).listen(0, "127.0.0.1");
  await once(slow, "listening");
  const port = Object(slow.address()).port;
  const directory = await mkdtemp(join(tmpdir(), "vconductor-callbacks-"));
  const file = join(directory, "gateway.json");
  const stub = { celery_queue_name: "stub_queue", celery_task_name: "stub", noparams: true };
  await writeFile(file, JSON.stringify({ WORKER_SERVICES: { stub } }));
  const server = await startTestServer({
    RUN_BACKGROUND_JOBS: "false",
    GATEWAY_CONFIG: file,
    FETCH_ALLOW: `${new URL(receiver.url).host},127.0.0.1:${port}`,
  });
  const ask = async (url: string) => {
    const path = `/gateway/stub/process?callback_url=${encodeURIComponent(url)}`;
    return String(at((await server.call("POST", path)).json, "uuid"));
  };
  for (let n = 0; n < 25; n++) await ask(`http://127.0.0.1:${port}/slow`);
  const uuid = await ask(`${receiver.url}/quick`);
  // All end at the same moment.
  const client = new pg.Client({ connectionString: server.database });
  await client.connect();
  await client.query("delete from vconductor.job");
  await client.end();
  await eventually(() => receiver.received.length > 0);
  expect(receiver.received.map(({ body }) => JSON.parse(String(body)))).toEqual([
    { uuid, status: "REVOKED" },
  ]);
  expect(given).toBe(0);
  slow.closeAllConnections();
  await Promise.all([server.stop(), receiver.stop()]);
  slow.close();
  await rm(directory, { recursive: true });
});
