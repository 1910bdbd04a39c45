import { readFileSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type PluginRan, type RunPlugin, runProcessor } from "../../src/plugin-testing.ts";
import { loadProcessors } from "../../src/processors/load.ts";
import { sample } from "../docs/processor-examples.ts";
import { at } from "../http/call.ts";
import { log } from "../processors/silent-log.ts";
import { command, vconductor } from "./command.ts";
import { directory } from "./directory.ts";

const root = join(import.meta.dirname, "../../../..");
const guide = readFileSync(join(root, "docs/plugins.md"), "utf8");

/** The files of docs/plugins.md: snippets that begin with a comment that is their path. */
const files = Object.fromEntries(
  [...guide.matchAll(/^```[jt]s\n\/\/ (\S+)\n([\s\S]*?)^```/gm)].map(([, path = "", text = ""]) => [
    path,
    text,
  ]),
);
const names = ["flag_words", "look_up", "mood", "tag", "upper_subject", "without_notes"];

interface Listed {
  readonly processors: readonly { readonly name: string; readonly source: { readonly kind: string } }[];
}

/** With nothing installed, and with the server's package linked as npm does it. */
let project: string;
let linked: string;
beforeAll(async () => {
  const all = { "package.json": '{ "type": "module" }', ...files };
  project = await directory(all);
  linked = await directory({ ...all, "node_modules/@vconductor/.keep": "" });
  for (const name of ["server", "vcon"]) {
    await symlink(join(root, "packages", name), join(linked, "node_modules/@vconductor", name));
  }
});

/** Runs one of them, as it is loaded by a server. */
async function run(name: string, options: RunPlugin): Promise<PluginRan> {
  const registry = await loadProcessors({ pluginPaths: [join(linked, "plugins")], log });
  return runProcessor(registry.get(name), options);
}

async function service(answer: (path: string, key: string | undefined) => string): Promise<string> {
  const server: Server = createServer((request, response) => {
    request.resume().on("end", () => response.end(answer(request.url ?? "", request.headers.authorization)));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

describe("docs/plugins.md", () => {
  it("has plugins that all load, wherever they lie", async () => {
    const all = vconductor(["plugins", "--json"], { cwd: project, env: { PLUGIN_PATHS: "plugins" } });
    expect(await all.exit(), all.output()).toBe(0);
    const { processors }: Listed = JSON.parse(all.stdout());
    const own = processors.filter(({ source }) => source.kind === "file").map(({ name }) => name);
    expect(own.toSorted()).toEqual(names);
  });

  it("has commands that work", async () => {
    const [list = "", serve = ""] = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
    const program = `${process.execPath} ${join(root, "packages/server/src/main.ts")}`;
    const listed = command("bash", ["-eu", "-c", list.replace("npx vconductor", program)], { cwd: project });
    expect(await listed.exit(), listed.output()).toBe(0);
    expect(listed.stdout()).toContain("flag_words 1.0.0: Flag words");
    // The server itself is tested with watch.test.ts.
    expect(serve.trim()).toBe("PLUGIN_PATHS=plugins npx vconductor serve --watch");
  });

  it("has processors that do what it says", async () => {
    const vcons = [sample()];
    const flagged = await run("flag_words", { vcons, options: { words: ["ROUTER"], tag: "hardware" } });
    expect(JSON.stringify(at(flagged.vcons, 0, "attachments"))).toContain("hardware");
    const upper = await run("upper_subject", { vcons });
    expect(upper.vcons[0]?.subject).toBe("INTERNET CONNECTION DROPS EVERY EVENING");
    expect((await run("tag", { vcons, options: { tags: ["a", "b"] } })).parameters).toEqual({ tag_count: 2 });
    const notes = { start: "2026-03-10T18:42:07Z", encoding: "none", body: "call back" };
    const annotated = { ...sample(), attachments: [{ ...notes, purpose: "notes" }] };
    const without = await run("without_notes", { vcons: [annotated] });
    expect(at(without.vcons, 0, "attachments")).toEqual([]);
  });

  it("has calls to the outside that work, keep their secret, and are counted", async () => {
    const url = await service((path, key) => (path === "/mood" ? "calm" : `${key} asks ${path}`));
    const env = { FETCH_ALLOW: "127.0.0.1", ADDRESS_BOOK_KEY: "s3cret" };
    const vcons = [{ ...sample(), parties: [{ tel: "+1-555-0147" }, { name: "Maya" }] }];
    const looked = await run("look_up", { vcons, env, options: { url } });
    expect(at(looked.vcons, 0, "parties")).toEqual([
      { tel: "+1-555-0147", name: "Bearer s3cret asks /?tel=%2B1-555-0147" },
      { name: "Maya" },
    ]);
    expect(looked.progress.map(({ percent }) => percent)).toEqual([0, 50]);
    const mood = await run("mood", { vcons, env, options: { url: `${url}/mood` } });
    expect(mood.parameters).toEqual({ mood: "calm" });
    expect(mood.usage).toMatchObject([{ provider: "ours", model: "mood-1" }]);
    await expect(run("look_up", { vcons, options: { url } })).rejects.toThrow(
      "ADDRESS_BOOK_KEY, which is not set",
    );
    const guarded = run("look_up", { vcons, env: { ADDRESS_BOOK_KEY: "k" }, options: { url } });
    await expect(guarded).rejects.toMatchObject({ code: "fetch_refused" });
  });

  it("has TypeScript whose types fit", async () => {
    const config = {
      extends: join(root, "tsconfig.json"),
      include: ["plugins", "test"],
      compilerOptions: { typeRoots: [join(root, "node_modules/@types")] },
    };
    await writeFile(join(linked, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const checked = command(process.execPath, [tsc, "--noEmit", "--pretty", "false"], { cwd: linked });
    await checked.exit();
    // The linked sources are checked too; theirs is another test's matter.
    expect(
      checked
        .output()
        .split("\n")
        .filter((line) => /^(?:plugins|test)\/|^error/.test(line)),
    ).toEqual([]);
  });

  it("has a test that runs", async () => {
    const tested = command(process.execPath, ["--test"], { cwd: linked });
    expect(await tested.exit(), tested.output()).toBe(0);
    expect(tested.output()).toMatch(/pass 3\n/);
  });
});
