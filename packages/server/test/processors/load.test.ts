import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ProcessorIO } from "../../src/processors/io.ts";
import { loadProcessors } from "../../src/processors/load.ts";
import type { ProcessorRegistry } from "../../src/processors/registry.ts";
import { runStep } from "../../src/processors/step.ts";
import { signed, vcon } from "./sample.ts";
import { log } from "./silent-log.ts";
import { rejected, thrown } from "./thrown.ts";

const made: string[] = [];
afterAll(() => Promise.all(made.map((path) => rm(path, { recursive: true }))));

async function directory(files: Record<string, string>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "plugins-"));
  made.push(path);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

const fields = 'title: "T", description: "D", version: "1.0.0", options: { type: "object", properties: {} }';

function source(name: string, more = "process: (io) => io"): string {
  return `export default { name: ${JSON.stringify(name)}, ${fields}, ${more} };`;
}

const builtinNames = ["conversation_stats", "jq", "queue_job", "set_parameters", "tag"];

function names(registry: ProcessorRegistry): string[] {
  return registry.list().map(({ name }) => name);
}

async function runFilter(registry: ProcessorRegistry, io: ProcessorIO, name: string): Promise<ProcessorIO> {
  const jq = { run: () => Promise.resolve([]) };
  const services = { log, fetch: () => Promise.reject(new Error("not here")), secret: () => undefined, jq };
  await runStep({ registry, step: { processor_name: name, processor_options: {} }, io, services });
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
    expect(message("throws.mjs")).toBe("at start");
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
      { message: "the name tag is taken; to replace it, say replace: true" },
    ]);
    expect(registry.get("tag").title).toBe("Tag a vCon");
    expect(registry.get("jq").title).toBe("Ours");
    expect(names(registry)).toEqual(builtinNames);
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
