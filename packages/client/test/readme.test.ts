import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../../server/test/setup/eventually.ts";
import { startTestServer, type TestServer } from "../../server/test/setup/test-server.ts";
import { Client } from "../src/index.ts";

// The README's examples, run as they stand there, but for the addresses.

const folder = mkdtempSync(join(tmpdir(), "vconductor-client-"));
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

function start(example: number) {
  const path = join(folder, `example-${example}.ts`);
  const code = (examples[example] ?? "")
    .replaceAll('"@vconductor/client"', JSON.stringify(new URL("../src/index.ts", import.meta.url).href))
    .replaceAll("http://127.0.0.1:8000", server.url);
  writeFileSync(path, code);
  const child = spawn(process.execPath, [path], { env: { PATH: process.env.PATH }, stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return { child, gone: once(child, "exit"), output: () => output };
}

it("a worker", async () => {
  const client = new Client({ url: server.url });
  await client.makeQueue("transcribers");
  const files = createServer((_, answer) => answer.end("12345")).listen(0, "127.0.0.1");
  await once(files, "listening");
  const { port } = files.address() as AddressInfo;
  await client.addJob("transcribers", { payload: { audio: `http://127.0.0.1:${port}/` } });
  await client.addJob("transcribers", { payload: "nothing" });
  const worker = start(0);
  try {
    const runs = await eventually(async () => {
      const answer = await client.request("GET", "/runs", { query: { queue: "transcribers" } });
      const all: { outcome: string; result: unknown; error: unknown }[] = Object(answer).runs;
      return all.filter(({ outcome }) => outcome !== null).length === 2 ? all.toReversed() : undefined;
    });
    expect(runs).toMatchObject([
      { outcome: "done", result: { bytes: 5 } },
      { outcome: "failed", error: { message: "no audio" } },
    ]);
  } finally {
    worker.child.kill("SIGTERM");
    files.close();
  }
  expect(await worker.gone).toEqual([0, null]);
  expect(worker.output()).toContain("transcribers: stopping");
});

it("the REST API", async () => {
  const program = start(1);
  expect([await program.gone, program.output()]).toEqual([[0, null], "[ 'echo', 'transcribers' ]\n"]);
});
