import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtin } from "../../src/processors/builtin/index.ts";
import { ProcessorIO } from "../../src/processors/io.ts";
import { loadProcessors } from "../../src/processors/load.ts";
import type { ProcessorRegistry } from "../../src/processors/registry.ts";
import { runStep } from "../../src/processors/step.ts";
import { directory } from "../plugins/directory.ts";
import { signed, vcon } from "./sample.ts";
import { log } from "./silent-log.ts";
import { alone, testServices } from "./test-services.ts";
import { rejected, thrown } from "./thrown.ts";

const fields = 'title: "T", description: "D", version: "1.0.0", options: { type: "object", properties: {} }';

function source(name: string, more = "process: (io) => io"): string {
  return `export default { name: ${JSON.stringify(name)}, ${fields}, ${more} };`;
}

const builtinNames = builtin.map(({ name }) => name);

function names(registry: ProcessorRegistry): string[] {
  return registry.list().map(({ name }) => name);
}

async function runFilter(registry: ProcessorRegistry, io: ProcessorIO, name: string): Promise<ProcessorIO> {
  const services = testServices();
  try {
    const step = { processor_name: name, processor_options: {} };
    await runStep({ registry, step, io, services, pipeline: alone });
  } finally {
    await services.stop();
  }
  return io;
}

describe("loadProcessors", () => {
  it("has the built-in ones without any plugin", async () => {
    const registry = await loadProcessors({ log });
    expect(names(registry)).toEqual(builtinNames);
    expect(registry.problems).toEqual([]);
    expect(thrown(() => registry.get("nope")).code).toBe("processor_not_registered");
  });

  it("loads files, packages and lists, in order", async () => {
    const plugins = await directory({
      "b.mjs": source("b"),
      "a.ts": `const name: string = "a"; export default [{ name, ${fields}, process: (io: object) => io }];`,
      "a.d.ts": "not a plugin",
      "readme.md": "not a plugin",
      ".hidden.mjs": "not a plugin",
      "node_modules/x/index.js": "not a plugin",
      "with-main/package.json": '{"type": "module", "main": "lib/main.js"}',
      "with-main/lib/main.js": source("with_main"),
      "with-exports/package.json": '{"type": "module", "exports": {".": {"import": "./entry.js"}}}',
      "with-exports/entry.js": source("with_exports"),
      "with-index/index.mjs": source("with_index"),
    });
    const registry = await loadProcessors({ pluginPaths: [plugins], log });
    expect(registry.problems).toEqual([]);
    expect(names(registry)).toEqual([...builtinNames, "a", "b", "with_exports", "with_index", "with_main"]);
  });

  it("reports what it cannot load by name and goes on", async () => {
    const plugins = await directory({
      "bad-syntax.mjs": "export default {",
      "no-default.mjs": "export const x = 1;",
      "no-name.mjs": `export default { ${fields}, process: (io) => io };`,
      "no-work.mjs": source("idle", "x: 1"),
      "bad-schema.mjs": `export default { name: "s", title: "", description: "", version: "", options: { type: "object", properties: { a: { type: "wrong" } } }, process: (io) => io };`,
      "throws.mjs": 'throw new Error("at start");',
      "z-good.mjs": source("good"),
    });
    const seen: string[] = [];
    const missing = join(plugins, "missing");
    const registry = await loadProcessors({
      pluginPaths: [missing, plugins],
      packages: ["no-such-package-of-ours"],
      log: { ...log, error: (_details, message = "") => void seen.push(message) },
    });
    expect(names(registry)).toEqual([...builtinNames, "good"]);
    expect(registry.problems.map(({ source }) => source)).toEqual([
      missing,
      ...["bad-schema", "bad-syntax", "no-default", "no-name", "no-work", "throws"].map((name) =>
        join(plugins, `${name}.mjs`),
      ),
      "no-such-package-of-ours",
    ]);
    const message = (name: string) => registry.problems.find(({ source }) => source.includes(name))?.message;
    expect(message("no-default")).toBe("has no default export");
    expect(message("no-work")).toBe("idle: has neither process() nor apply()");
    expect(message("throws.mjs")).toBe("at start (line 1)");
    expect(message("bad-schema")).toContain("not a valid JSON Schema");
    expect(seen).toHaveLength(registry.problems.length);
  });

  it("lets only those take a name that say so", async () => {
    const plugins = await directory({
      "first.mjs": source("tag"),
      "second.mjs": source("jq", 'replace: true, title: "Ours", process: (io) => io'),
    });
    const registry = await loadProcessors({ pluginPaths: [plugins], log });
    expect(registry.problems).toMatchObject([
      { message: "the name tag is taken by the built-in one; to replace it, say replace: true" },
    ]);
    expect(registry.get("tag").title).toBe("Tag a vCon");
    expect(registry.get("jq").title).toBe("Ours");
    expect(names(registry)).toEqual(builtinNames);
  });

  it("knows where each comes from", async () => {
    const first = await directory({
      "jq.mjs": source("jq", "replace: true, process: (io) => io"),
      "new.mjs": source("new"),
    });
    const second = await directory({ "jq.mjs": source("jq", "replace: true, process: (io) => io") });
    const project = await directory(installed("plug", { "index.js": source("from_npm") }));
    const options = { pluginPaths: [first, second], packages: ["plug"], directory: project, log };
    const registry = await loadProcessors(options);
    expect(registry.problems).toEqual([]);
    expect(registry.source("tag")).toEqual({ kind: "built-in" });
    expect(registry.source("new")).toEqual({ kind: "file", from: join(first, "new.mjs") });
    expect(registry.source("from_npm")).toEqual({ kind: "package", from: "plug" });
    expect(registry.source("jq")).toEqual({
      kind: "file",
      from: join(second, "jq.mjs"),
      replaces: { kind: "file", from: join(first, "jq.mjs"), replaces: { kind: "built-in" } },
    });
    expect(thrown(() => registry.source("nope")).code).toBe("processor_not_registered");
  });

  it("takes a directory that is a package as one plugin, from its source", async () => {
    const plugin = await directory({
      "package.json": JSON.stringify({
        type: "module",
        exports: { ".": { types: "./no.d.ts", source: "./src/index.ts", default: "./dist/index.js" } },
      }),
      "src/index.ts": source("one"),
      "vite.config.ts": "throw new Error('no plugin');",
    });
    // What `npm init` writes: its main is not there.
    const loose = await directory({
      "package.json": '{ "type": "module", "main": "index.js" }',
      "two.js": source("two"),
      "two.test.js": "throw new Error('no plugin');",
    });
    const registry = await loadProcessors({ pluginPaths: [plugin, loose], log });
    expect(registry.problems).toEqual([]);
    expect(names(registry)).toEqual([...builtinNames, "one", "two"]);
  });

  it("loads the others when one cannot even be looked at", async () => {
    const plugins = await directory({ "bad/package.json": "{", "z.mjs": source("z") });
    await symlink(join(plugins, "nowhere"), join(plugins, "gone.mjs"));
    const registry = await loadProcessors({ pluginPaths: [plugins], log });
    expect(names(registry)).toEqual([...builtinNames, "z"]);
    expect(registry.problems.map(({ source }) => source)).toEqual([
      join(plugins, "bad"),
      join(plugins, "gone.mjs"),
    ]);
  });

  it("makes processors of filters", async () => {
    const plugins = await directory({
      "same.mjs": source("same", "apply: (vcon) => vcon"),
      "change.mjs": source("change", 'apply: async (vcon) => { vcon.subject = "changed"; return vcon; }'),
      "other.mjs": source("other", 'apply: (vcon) => ({ ...vcon, uuid: "other" })'),
    });
    const registry = await loadProcessors({ pluginPaths: [plugins], log });
    const io = new ProcessorIO();
    io.add(vcon("a"), { lent: true });
    expect((await runFilter(registry, io, "same")).toOutput().vcons_modified).toEqual([false]);
    expect((await runFilter(registry, io, "change")).toOutput().vcons_modified).toEqual([true]);
    await runFilter(registry, io, "other");
    expect(io.toOutput().vcons.map(({ uuid, subject }) => [uuid, subject])).toEqual([
      ["a", "changed"],
      ["other", "changed"],
    ]);
    expect(io.entries[1]?.isNew).toBe(true);
    const sealed = new ProcessorIO();
    sealed.add(signed("s"), { lent: true });
    expect((await rejected(runFilter(registry, sealed, "same"))).code).toBe("invalid_vcon_state");
  });
});

describe("packages", () => {
  it("are looked for in the project first, and then beside the server", async () => {
    const manifest = { type: "module", exports: { import: "./esm.js", require: "./not-this.cjs" } };
    const project = await directory({
      ...installed("vconductor-plugin-x", { "esm.js": source("x") }, manifest),
      ...installed("@scope/y", { "main.js": source("y") }, { type: "module", main: "main.js" }),
      // There is one of this name beside the server; it exports no processor.
      ...installed("commander", { "index.js": source("ours") }),
    });
    const below = join(project, "deep/er");
    await mkdir(below, { recursive: true });
    const packages = ["vconductor-plugin-x", "@scope/y", "commander", "ajv"];
    const registry = await loadProcessors({ packages, directory: below, log });
    expect(names(registry)).toEqual([...builtinNames, "x", "y", "ours"]);
    // Only the server has it, so this is the proof that it was looked for there.
    expect(registry.problems.map(({ source }) => source)).toEqual(["ajv"]);
    expect(registry.problems[0]?.message).not.toContain("not installed");
  });

  it("must be compiled, have an entry, and be there", async () => {
    const project = await directory({
      ...installed("typed", { "index.ts": source("typed") }, { type: "module", exports: "./index.ts" }),
      ...installed("empty", {}, { type: "module" }),
      ...installed(
        "hidden",
        { "index.js": source("hidden") },
        { type: "module", exports: { "./sub": "./index.js" } },
      ),
    });
    const packages = ["typed", "empty", "hidden", "missing-plugin"];
    const registry = await loadProcessors({ packages, directory: project, log });
    expect(names(registry)).toEqual(builtinNames);
    const messages = Object.fromEntries(registry.problems.map(({ source, message }) => [source, message]));
    const modules = join(project, "node_modules");
    expect(messages.typed).toBe(
      `its entry ${join(modules, "typed/index.ts")} is TypeScript. Node.js runs no TypeScript inside node_modules: ` +
        'compile the package to JavaScript before it is published, and have its "exports" name the result.',
    );
    expect(messages.empty).toContain(`has no entry: in ${join(modules, "empty/package.json")}, "exports"`);
    expect(messages.hidden).toContain("has no entry");
    expect(messages["missing-plugin"]).toBe(
      `is not installed, neither for ${project} nor for the server; install it with: npm install missing-plugin`,
    );
  });

  it("may be linked to their TypeScript sources elsewhere", async () => {
    const sources = await directory({
      "package.json": '{ "name": "linked", "type": "module", "exports": "./index.ts" }',
      "index.ts": source("linked"),
    });
    const project = await directory({ "node_modules/.keep": "" });
    await symlink(sources, join(project, "node_modules/linked"));
    const registry = await loadProcessors({ packages: ["linked"], directory: project, log });
    expect(registry.problems).toEqual([]);
    expect(registry.has("linked")).toBe(true);
  });
});

function installed(
  name: string,
  files: Readonly<Record<string, string>>,
  manifest: object = { type: "module", exports: "./index.js" },
): Record<string, string> {
  const all = { "package.json": JSON.stringify({ name, ...manifest }), ...files };
  return Object.fromEntries(
    Object.entries(all).map(([path, text]) => [`node_modules/${name}/${path}`, text]),
  );
}
