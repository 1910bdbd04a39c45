import { afterAll, expect, it } from "vitest";
import { startApi } from "../../http/start-api.ts";
import { vconductor } from "../../plugins/command.ts";
import { Porch } from "./porch.ts";

const api = await startApi();
afterAll(() => api.stop());
const env = { VCON_STORAGE_URL: api.stores.queueDatabase.url };

async function run(args: readonly string[]) {
  const command = vconductor(args, { env });
  const status = await command.exit();
  return { status, stdout: command.stdout(), output: command.output() };
}

const nobody = new Porch(`${api.url}/porch`);

it("vconductor porch token makes the first administrator, and tokens of pipelines", async () => {
  const made = await run(["porch", "token", "--description", "ops"]);
  expect(made).toMatchObject({ status: 0, stdout: expect.stringMatching(/^[0-9a-f]{32}\n$/) });
  const pipeline = { name: "by command", uri: "u", version: "1" };
  expect((await nobody.as(made.stdout.trim()).call("POST", "/pipelines/", pipeline)).status).toBe(201);
  const own = await run(["porch", "token", "--description", "w", "--pipeline", "by command"]);
  expect((await nobody.as(own.stdout.trim()).register(pipeline, { n: 1 })).status).toBe(201);
  const missing = await run(["porch", "token", "--description", "w", "--pipeline", "none"]);
  expect(missing).toMatchObject({ status: 1, output: expect.stringContaining("Pipeline 'none' not found") });
});
