import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isWatched } from "../../src/watch.ts";
import { at, call } from "../http/call.ts";
import { createDatabase, type TestDatabase } from "../setup/database.ts";
import { eventually } from "../setup/eventually.ts";
import { type Command, freePort, vconductor } from "./command.ts";
import { directory, source } from "./directory.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

interface Watched extends Command {
  readonly url: string;
  /** What the processor `echo` says; undefined when there is none, or no server. */
  readonly echo: () => Promise<unknown>;
}

async function watched(plugins: string): Promise<Watched> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const started = vconductor(["serve", "--watch"], {
    env: {
      REST_URL: url,
      VCON_STORAGE_URL: database.url,
      PLUGIN_PATHS: plugins,
      NUM_WORKERS: "1",
      LOG_LEVEL: "error",
    },
  });
  const echo = async () => {
    const body = { processor_io: {}, processor_options: {} };
    const answer = await call("POST", `${url}/processIO/echo`, { body });
    return answer.status === 404 ? undefined : at(answer.json, "parameters", "said");
  };
  return { ...started, url, echo };
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe("serve --watch", () => {
  it("restarts the server with what changed, and runs it without a plugin that is broken", async () => {
    const plugins = await directory({ "echo.mjs": source("echo", "one"), "node_modules/x/i.js": "" });
    const server = await watched(plugins);
    await eventually(async () => (await server.echo()) === "one");

    await writeFile(join(plugins, "node_modules/x/i.js"), "// not ours");
    await writeFile(join(plugins, ".echo.mjs.swp"), "an editor's");
    await writeFile(join(plugins, "echo.mjs"), source("echo", "two"));
    await eventually(async () => (await server.echo()) === "two");
    expect(server.output()).toContain(`${join(plugins, "echo.mjs")} changed; restarting the server`);
    expect(server.output()).not.toMatch(/(?:node_modules|\.swp)\S* changed/);

    await mkdir(join(plugins, "new"));
    await writeFile(join(plugins, "new/index.mjs"), source("fresh", "new"));
    await eventually(async () => (await call("POST", `${server.url}/processIO/fresh`)).status === 422);

    await writeFile(join(plugins, "echo.mjs"), "export default {");
    await eventually(async () => (await call("POST", `${server.url}/processIO/echo`)).status === 404);
    expect((await call("GET", `${server.url}/health/ready`)).status).toBe(200);
    expect(server.output()).toContain(`plugin not loaded: ${join(plugins, "echo.mjs")}: Unexpected end`);

    server.child.kill("SIGTERM");
    expect(await server.exit(), server.output()).toBe(0);
    await expect(fetch(server.url)).rejects.toThrow("fetch failed");
  });

  it("does not start a server again that ended by itself, until a file changes", async () => {
    const plugins = await directory({ "echo.mjs": "process.exit(3);" });
    const server = await watched(plugins);
    const ended = "the server ended with status 3; it starts again when a plugin file changes";
    await eventually(() => server.output().includes(ended));

    await writeFile(join(plugins, "echo.mjs"), source("echo", "mended"));
    await eventually(async () => (await server.echo()) === "mended");
    expect(count(server.output(), "the server ended")).toBe(1);
    expect(count(server.output(), "echo.mjs changed; starting the server")).toBe(1);
  });

  it("ends with the status of a server that had ended by itself", async () => {
    const server = await watched(await directory({ "echo.mjs": "process.exit(3);" }));
    await eventually(() => server.output().includes("the server ended with status 3"));
    server.child.kill("SIGINT");
    expect(await server.exit()).toBe(3);
  });

  it("takes the server along when it is killed", async () => {
    const server = await watched(await directory({ "echo.mjs": source("echo", "one") }));
    await eventually(async () => (await server.echo()) === "one");
    server.child.kill("SIGKILL");
    // Both write to the same pipes, which close when the last of them is gone.
    expect(await server.exit()).toBe("SIGKILL");
    await expect(fetch(server.url)).rejects.toThrow("fetch failed");
    expect(server.output()).toContain("the watcher ended: stopping");
  });

  it("says that it has nothing to watch", async () => {
    const server = vconductor(["serve", "--watch"], { env: { VCON_STORAGE_URL: database.url } });
    expect(await server.exit()).toBe(1);
    expect(server.output()).toContain("PLUGIN_PATHS names no directory");
    expect(server.output()).not.toMatch(/^\s+at /m);
  });
});

describe("isWatched", () => {
  it.each([
    ["echo.ts", true],
    ["lib/data.json", true],
    ["node_modules/x/index.js", false],
    ["deep\\node_modules\\x.js", false],
    [".git/HEAD", false],
    ["lib/.echo.ts.swp", false],
    ["echo.ts~", false],
  ])("%s: %s", (path, expected) => {
    expect(isWatched(path)).toBe(expected);
  });
});
