import { spawnSync } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../http/call.ts";
import { createDatabase, type TestDatabase } from "../setup/database.ts";
import { eventually } from "../setup/eventually.ts";
import { type Command, command, freePort, vconductor } from "./command.ts";
import { directory } from "./directory.ts";

const root = join(import.meta.dirname, "../../../..");
const example = join(root, "examples/plugin");
const hasCurl = spawnSync("curl", ["--json", "{}", "--version"]).status === 0;

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

/** The shell commands of the README's steps, as they stand there, for a copy in this directory. */
function stepsFor(copy: string): readonly string[] {
  const readme = readFileSync(join(example, "README.md"), "utf8");
  return [...readme.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].map(([, code = ""]) =>
    code
      .replaceAll("../my-plugin", copy)
      .replace("npm start --", "exec node packages/server/src/main.ts serve"),
  );
}

function bash(script: string, env: Readonly<Record<string, string>> = {}): Command {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  // Nothing is to be downloaded: the server's package is only linked.
  return command("bash", ["-eu", "-c", script], {
    cwd: root,
    env: { PATH, npm_config_offline: "true", npm_config_update_notifier: "false", ...env },
  });
}

describe("examples/plugin", () => {
  it.skipIf(!hasCurl)(
    "goes from the copy to a pipeline by the steps of its README (skipped without curl 7.82 or later)",
    async () => {
      const copy = join(await directory(), "my-plugin");
      const [first, second, third, start = "", use = "", ...more] = stepsFor(copy);
      expect(more).toEqual([]);
      const made = bash([first, second, third].join("\n"));
      expect(await made.exit(), made.output()).toBe(0);
      expect(made.output()).toMatch(/pass 5\n/);

      const url = `http://127.0.0.1:${await freePort()}`;
      const settings = {
        REST_URL: url,
        VCON_STORAGE_URL: database.url,
        LOG_LEVEL: "error",
        NUM_WORKERS: "1",
      };
      const server = bash(start, settings);
      await eventually(async () => (await call("GET", `${url}/health/ready`)).status === 200);
      const used = bash(use.replaceAll("http://localhost:8000", url));
      expect(await used.exit(), used.output()).toBe(0);
      const answer: unknown = JSON.parse(used.stdout());
      expect(answer).toMatchObject({ parameters: { masked_numbers: 1 }, vcons_modified: [true] });
      expect(used.stdout()).toContain("Done: EXP-***.");
      server.child.kill("SIGTERM");
      expect(await server.exit(), server.output()).toBe(0);
    },
  );

  it("is built into a package of JavaScript that a project can install", async () => {
    const project = await directory({ "package.json": "{}" });
    const source = join(project, "source");
    cpSync(example, source, { recursive: true });
    const built = command(process.execPath, ["build.mjs"], { cwd: source });
    expect(await built.exit(), built.output()).toBe(0);
    const installed = join(project, "node_modules/vconductor-plugin-example");
    for (const name of ["package.json", "dist"]) {
      cpSync(join(source, name), join(installed, name), { recursive: true });
    }
    const run = vconductor(["plugins", "mask_numbers", "--json"], {
      cwd: project,
      env: { PLUGIN_PACKAGES: "vconductor-plugin-example" },
    });
    expect(await run.exit(), run.output()).toBe(0);
    expect(JSON.parse(run.stdout())).toMatchObject({
      processors: [{ source: { kind: "package", from: "vconductor-plugin-example" } }],
      problems: [],
    });
  });
});
