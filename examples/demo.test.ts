import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtin } from "../packages/server/src/processors/builtin/index.ts";
import { createDatabase, type TestDatabase } from "../packages/server/test/setup/database.ts";
import { pipelines } from "./demo/pipelines.ts";

const program = fileURLToPath(new URL("./demo.ts", import.meta.url));

let database: TestDatabase;
let media: string;

beforeAll(async () => {
  database = await createDatabase();
  media = await mkdtemp(join(tmpdir(), "vconductor-demo-"));
});

afterAll(async () => {
  await database.drop();
  await rm(media, { recursive: true, force: true });
});

/** Processors that need somebody else: a provider, a mail server, an address. */
const online = [
  "transcribe",
  "deepgram",
  "whisper_base",
  "analyze",
  "openai_chat_completion",
  "send_email",
  "service",
  "slack",
  "webhook",
];

describe("the demo", () => {
  test("processes the sample conversations, and does so again on the same data", async () => {
    for (const round of [1, 2]) {
      const demo = start({ args: ["--once"] });
      const code = await demo.exit();
      expect(code, `round ${round}:\n${demo.output()}`).toBe(0);
      expect(demo.output()).toContain("tags: measured, one-sided, triage, call-back");
      expect(demo.output()).toContain("version 0.0.1 → 0.4.0");
      expect(demo.output()).toMatch(/http:\/\/\S+\/docs/);
    }
  });

  test("runs all processors that need nobody else", () => {
    const used = Object.values(pipelines).flatMap(({ processors }) =>
      processors.map(({ processor_name }) => processor_name),
    );
    const offline = builtin.map(({ name }) => name).filter((name) => !online.includes(name));
    expect([...new Set(used)].toSorted()).toEqual(offline.toSorted());
  });

  test("stays up until it is told to stop, and takes its server along", async () => {
    const demo = start({ args: [] });
    await demo.says("The server stays up.");
    const url = /http:\/\/[^\s/]+/.exec(demo.output())?.[0] ?? "";
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    demo.child.kill("SIGTERM");
    expect(await demo.exit(), demo.output()).toBe(0);
    await expect(fetch(`${url}/health/live`)).rejects.toThrow("fetch failed");
  });

  test("says what is in the way when the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    try {
      const demo = start({ args: ["--once"], url: `http://127.0.0.1:${port}` });
      expect(await demo.exit()).toBe(1);
      expect(demo.output()).toContain(`Port ${port} on 127.0.0.1 is taken`);
      expect(demo.output()).not.toMatch(/^\s+at /m);
    } finally {
      other.close();
    }
  });

  test("explains its options", async () => {
    const demo = start({ args: ["--twice"] });
    expect(await demo.exit()).toBe(1);
    expect(demo.output()).toContain("usage: npm run demo");
  });
});

interface Demo {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: () => Promise<unknown>;
  /** Resolves when it has printed this. */
  readonly says: (text: string) => Promise<void>;
}

function start(options: { readonly args: readonly string[]; readonly url?: string }): Demo {
  const child = spawn(process.execPath, [program, ...options.args], {
    env: {
      ...process.env,
      REST_URL: options.url ?? "http://127.0.0.1:0",
      VCON_STORAGE_URL: database.url,
      MEDIA_STORE: `directory:${media}`,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const closed = once(child, "close");
  return {
    child,
    output: () => output,
    exit: async () => (await closed)[0],
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (output.includes(text)) resolve();
        };
        child.stdout.on("data", look);
        child.once("close", () => reject(new Error(`it ended without saying “${text}”:\n${output}`)));
        look();
      }),
  };
}
