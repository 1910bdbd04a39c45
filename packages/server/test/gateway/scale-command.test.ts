import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../src/gateway/scale-command.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vconductor-command-"));
  process.env.A_SECRET_OF_OURS = "secret";
  process.env.A_THING_TO_PASS = "passed";
});
afterAll(async () => {
  delete process.env.A_SECRET_OF_OURS;
  delete process.env.A_THING_TO_PASS;
  await rm(directory, { recursive: true });
});

const node = process.execPath;
const run = (command: readonly string[], signal = new AbortController().signal) =>
  runCommand(command, {
    env: { SERVICE: "one" },
    pass: ["A_THING_TO_PASS", "NOT_THERE"],
    signal,
    timeoutMs: 600_000,
  });

describe("a command that scales", () => {
  it("gets of our environment only what it may have", async () => {
    const file = join(directory, "env");
    await run([node, "-e", "fs.writeFileSync(process.argv[1], JSON.stringify(process.env))", file]);
    const env: object = JSON.parse(await readFile(file, "utf8"));
    expect(env).toMatchObject({ SERVICE: "one", A_THING_TO_PASS: "passed", PATH: process.env.PATH });
    const known = ["SERVICE", "A_THING_TO_PASS", "PATH", "HOME", "LANG", "TZ"];
    // macOS adds one of its own.
    expect(Object.keys(env).filter((name) => !known.includes(name) && !name.startsWith("__CF"))).toEqual([]);
  });

  it("that fails is named, without its arguments and what it writes", async () => {
    const script = "console.error(process.argv[1]); process.exit(3)";
    const failed = await run([node, "-e", script, "secret"]).catch((error: unknown) => error);
    expect(failed).toMatchObject({ message: `${node} ended with 3` });
    const absent = await run([join(directory, "absent"), "secret"]).catch((error: unknown) => error);
    expect(absent).toMatchObject({ message: `${join(directory, "absent")} could not be run: ENOENT` });
    expect(inspect([failed, absent], { depth: 9 })).not.toContain("secret");
  });

  it("stops with all that it has started", async () => {
    const connected = Promise.withResolvers<Socket>();
    const listener = createServer((socket) => connected.resolve(socket)).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = Object(listener.address());
    // The one that connects is a child of the command, and takes no notice of a request to end.
    const child = `process.on("SIGTERM", () => {}); net.connect(${port}, "127.0.0.1"); setInterval(() => {}, 1000)`;
    const script = `child_process.spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "ignore" }); setInterval(() => {}, 1000)`;
    const stop = new AbortController();
    const running = run([node, "-e", script], stop.signal).catch((error: unknown) => error);
    const socket = await connected.promise;
    const closed = once(socket.on("error", () => {}).resume(), "close");
    stop.abort();
    expect(await running).toMatchObject({ message: expect.stringContaining("was stopped") });
    await closed;
    listener.close();
  });
});
