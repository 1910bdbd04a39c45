import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, sep } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packedManifest, targetsOf } from "../../../scripts/package-manifest.ts";

/*
 * The package as others get it: packed by npm, installed by npm, used by plain Node.js and by TypeScript. All of it in
 * copies: packing changes package.json for a moment, and the other tests resolve the package through that.
 */

const repository = join(import.meta.dirname, "..", "..", "..");
const name = "@vconductor/vcon";
const run = promisify(execFile);

let folder: string;
/** The copy of packages/vcon in a copy of the repository. */
let source: string;
/** An empty project that has the package installed. */
let project: string;
let manifestText: string;

const probe =
  '#!/usr/bin/env node\nimport { vconVersions } from "../index.ts";\nconsole.log(vconVersions.at(-1));\n';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vconductor-package-"));
  source = join(folder, "repository", "packages", "vcon");
  project = join(folder, "project");
  copyRepository(join(folder, "repository"));
  // An entry and a command of its own, so that both are tested whatever the package has.
  mkdirSync(join(source, "src", "command"), { recursive: true });
  writeFileSync(join(source, "src", "command", "probe.ts"), probe);
  const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  const bin = { ...manifest.bin, "vcon-probe": "./src/command/probe.ts" };
  manifestText = `${JSON.stringify({ ...manifest, bin }, null, 4)}\n\n`;
  writeFileSync(join(source, "package.json"), manifestText);

  await npm(source, "pack", "--pack-destination", folder);
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
  await npm(project, "install", "--prefer-offline", "--no-audit", "--no-fund", `../${tarball()}`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Links to what is installed; nothing in the copy can install, or write into what it links to. */
function copyRepository(to: string): void {
  const modules = join(to, "node_modules");
  mkdirSync(modules, { recursive: true });
  for (const each of readdirSync(join(repository, "node_modules"))) {
    if (each !== ".vconductor-lock") symlinkSync(join(repository, "node_modules", each), join(modules, each));
  }
  writeFileSync(join(to, "package-lock.json"), "");
  // The hash of nothing: run.mjs takes the packages as installed.
  writeFileSync(
    join(modules, ".vconductor-lock"),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
  );
  for (const each of [".gitignore", "package.json", "tsconfig.json", "LICENSE", "CHANGELOG.md", "scripts"]) {
    cpSync(join(repository, each), join(to, each), { recursive: true });
  }
  cpSync(join(repository, "packages", "vcon"), source, {
    recursive: true,
    filter: (path) => !/[/\\](?:node_modules|test|dist|\.packing)$/.test(path),
  });
  const own = join(repository, "packages", "vcon", "node_modules");
  if (existsSync(own)) symlinkSync(own, join(source, "node_modules"));
}

/** As from a shell outside the repository: without its Node.js, and without what the npm of `npm test` hands on. */
function environment(): NodeJS.ProcessEnv {
  const own = join(repository, "node_modules") + sep;
  const path = (process.env.PATH ?? "").split(delimiter).filter((each) => !`${each}${sep}`.startsWith(own));
  const entries = Object.entries(process.env).filter(
    ([key]) => !/^npm_(?!config_)|^npm_config_(?:local_prefix|prefix|workspaces?|dry_run)$|^NODE_/i.test(key),
  );
  return { ...Object.fromEntries(entries), PATH: path.join(delimiter), NO_COLOR: "1" };
}

function npm(cwd: string, ...args: readonly string[]) {
  return run("npm", args, { cwd, env: environment(), shell: process.platform === "win32" });
}

function tarball(): string {
  return readdirSync(folder).find((each) => each.endsWith(".tgz")) ?? "no tarball";
}

function installed(...path: readonly string[]): string {
  return join(project, "node_modules", name, ...path);
}

/** The specifiers that the package offers. */
function entries(): readonly string[] {
  const exported: Readonly<Record<string, unknown>> = JSON.parse(manifestText).exports;
  return Object.keys(exported)
    .filter((entry) => !/\*|\.json$/.test(entry))
    .map((entry) => name + entry.slice(1));
}

/** The Node.js of these tests, and the one that a shell finds; the oldest that runs the repository's commands is 20. */
async function nodes(): Promise<readonly string[]> {
  const found = await run("node", ["-p", "process.execPath"], { env: environment() }).catch(() => undefined);
  return [...new Set([process.execPath, found?.stdout.trim() ?? process.execPath])];
}

function writtenIn(text: string, language: string): readonly string[] {
  return text
    .split(`\`\`\`${language}\n`)
    .slice(1)
    .map((block) => block.split("\n```")[0] ?? "");
}

test("the repository's package.json leads to the sources", () => {
  const text = readFileSync(join(repository, "packages", "vcon", "package.json"), "utf8");
  const hint = "A publish failed half way. Mend it: npm run postpublish --workspace packages/vcon";
  for (const file of targetsOf(text).files) expect(file, hint).not.toMatch(/dist\//);
});

test("packing leaves the package as it was", () => {
  expect(readFileSync(join(source, "package.json"), "utf8")).toBe(manifestText);
  expect(readdirSync(source).sort()).toEqual(
    expect.not.arrayContaining(["dist", ".packing", "LICENSE", "CHANGELOG.md"]),
  );
});

test("the package has everything that is needed, and no more", () => {
  expect(readdirSync(installed()).sort()).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "dist",
    "package.json",
    "src",
  ]);
  const manifest = JSON.parse(readFileSync(installed("package.json"), "utf8"));
  expect(manifest).not.toHaveProperty("devDependencies");
  expect(manifest.dependencies).toEqual(JSON.parse(manifestText).dependencies);
  expect(manifest.types).toBe("./dist/index.d.ts");
  const dist = readdirSync(installed("dist"), { recursive: true, encoding: "utf8" });
  expect(dist).toEqual(expect.arrayContaining(["index.js", "index.js.map", "index.d.ts", "index.d.ts.map"]));
  for (const each of dist.filter((file) => file.endsWith("ts"))) {
    expect(each).toMatch(/\.d\.ts$/);
    expect(readFileSync(installed("dist", each), "utf8"), each).not.toMatch(/from "\.[^"]*\.ts"/);
  }
  const map = JSON.parse(readFileSync(installed("dist", "index.d.ts.map"), "utf8"));
  for (const each of map.sources) expect(existsSync(join(installed("dist"), each))).toBe(true);
});

test("plain Node.js imports every entry, and reads and writes a vCon", async () => {
  const sample = readFileSync(
    join(repository, "examples", "conversations", "support-call.vcon.json"),
    "utf8",
  );
  writeFileSync(join(project, "sample.json"), sample);
  writeFileSync(
    join(project, "use.mjs"),
    `import { readFileSync } from "node:fs";
import { parse, toText, transcript } from "${name}";
for (const entry of ${JSON.stringify(entries())}) {
  if (Object.keys(await import(entry)).length === 0) throw new Error(entry + " exports nothing");
}
const text = readFileSync("sample.json", "utf8");
const document = await parse(text);
if (toText(document) !== text) throw new Error("not the text that was read");
console.log(transcript(document.vcon).length);
`,
  );
  expect(entries().length).toBeGreaterThan(1);
  for (const node of await nodes()) {
    const { stdout } = await run(node, ["use.mjs"], { cwd: project, env: environment() });
    expect(stdout, node).toBe("23\n");
  }
});

test("the types hold in a strict project that checks its libraries too", async () => {
  const imports = entries().map((entry, index) => `import * as entry${index} from "${entry}";`);
  writeFileSync(
    join(project, "use.ts"),
    `${imports.join("\n")}
import { parse, type Vcon, type VconDocument } from "${name}";
export const all = [${imports.map((_, index) => `entry${index}`).join(", ")}];
export async function subject(text: string): Promise<Vcon["subject"]> {
  const document: VconDocument = await parse(text);
  // @ts-expect-error an encrypted document has no content
  document.vcon.toString();
  return document.state === "unsigned" ? document.vcon.subject : undefined;
}
`,
  );
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022", "dom", "dom.iterable"],
    module: "nodenext",
    types: [],
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
  const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await run(process.execPath, [tsc, "-p", project], { cwd: project }).catch(
    (error: { readonly stdout: string }) => error,
  );
  expect(stdout).toBe("");
});

test("the commands run", async () => {
  const found = await npm(project, "exec", "--no", "--", "vcon-probe");
  expect(found.stdout).toBe("0.4.0\n");
  const { bin = {}, version } = JSON.parse(readFileSync(installed("package.json"), "utf8"));
  expect(bin.vcon).toBe("dist/command/main.js");
  const vcon = join(project, "node_modules", ".bin", "vcon");
  for (const node of await nodes()) {
    const { stdout } = await run(node, ["-p", "process.versions.node"]);
    const isOld = Number.parseInt(stdout, 10) < 22;
    const ended = await run(node, [vcon, "--version"], { cwd: project }).catch(
      (error: { readonly stderr: string }) => error,
    );
    if (isOld) expect(ended.stderr).toMatch(/^vcon: it needs Node\.js 22\.12 or later; this is .*\n$/);
    else expect(ended).toMatchObject({ stdout: `${version}\n` });
  }
});

const readme = readFileSync(join(repository, "packages", "vcon", "README.md"), "utf8");

test.each(writtenIn(readme, "js").map((code, index) => ({ code, index })))(
  "the README's example $index prints what it says",
  async ({ code, index }) => {
    const expected = [...code.matchAll(/^\/\/=> (.*)$/gm)].map(([, line]) => `${line}\n`).join("");
    expect(expected).not.toBe("");
    writeFileSync(join(project, `example-${index}.mjs`), code);
    const { stdout } = await run(process.execPath, [`example-${index}.mjs`], {
      cwd: project,
      env: environment(),
    });
    expect(stdout).toBe(expected);
  },
);

test("the README's commands run, one after the other", async () => {
  const commands = writtenIn(readme, "sh")
    .flatMap((block) => block.split("\n"))
    .filter((line) => line !== "" && !line.startsWith("npm install"));
  expect(commands.length).toBeGreaterThan(8);
  const path = [join(project, "node_modules", ".bin"), dirname(process.execPath), process.env.PATH ?? ""];
  const env = { ...environment(), PATH: path.join(delimiter) };
  for (const command of commands) {
    expect(command).toMatch(/^vcon /);
    await run("bash", ["-o", "pipefail", "-e", "-c", command], { cwd: project, env });
  }
  expect(readFileSync(join(project, "same.vcon"), "utf8")).toBe(
    readFileSync(join(project, "call.vcon"), "utf8"),
  );
});

test("a pack that fails or is killed leaves nothing behind", async () => {
  const broken = join(source, "src", "broken.ts");
  writeFileSync(broken, "export const broken: number = 'text';\n");
  await expect(npm(source, "pack", "--dry-run")).rejects.toThrow(/do not compile/);
  rmSync(broken);
  expect(readFileSync(join(source, "package.json"), "utf8")).toBe(manifestText);
  expect(existsSync(join(source, "dist"))).toBe(false);

  // Killed after prepack: the next one begins with what there was.
  await npm(source, "run", "prepack");
  expect(targetsOf(readFileSync(join(source, "package.json"), "utf8")).files.join()).toContain(
    "./dist/index.js",
  );
  const { stdout } = await npm(source, "pack", "--dry-run", "--json");
  expect(JSON.stringify(JSON.parse(stdout))).toContain("dist/command/probe.js");
  expect(readFileSync(join(source, "package.json"), "utf8")).toBe(manifestText);
});

test("an entry without a source is named", async () => {
  const manifest = JSON.parse(manifestText);
  writeFileSync(
    join(source, "package.json"),
    JSON.stringify({ ...manifest, exports: { ...manifest.exports, "./gone": "./src/gone.ts" } }),
  );
  try {
    await expect(npm(source, "pack", "--dry-run")).rejects.toThrow("./dist/gone.d.ts");
  } finally {
    writeFileSync(join(source, "package.json"), manifestText);
  }
});

test("npm publish tells the registry about dist/, then puts the sources back", async () => {
  const published: string[] = [];
  const registry = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    if (request.method === "PUT") published.push(body);
    response
      .writeHead(request.method === "PUT" ? 201 : 404, { "content-type": "application/json" })
      .end("{}");
  }).listen(0, "127.0.0.1");
  await once(registry, "listening");
  const address = registry.address();
  const host = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  // A configuration of its own: what is published here cannot reach a real registry, nor use a real token.
  const userconfig = join(folder, "npmrc");
  writeFileSync(userconfig, `registry=http://${host}/\n//${host}/:_authToken=invented\n`);
  try {
    await npm(source, "publish", "--userconfig", userconfig, "--registry", `http://${host}/`);
  } finally {
    registry.close();
  }
  const { versions } = JSON.parse(published[0] ?? "{}");
  const [manifest] = Object.values<{ exports: object; bin: object }>(versions);
  expect(manifest?.exports).toMatchObject({
    ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
  });
  expect(manifest?.bin).toMatchObject({ "vcon-probe": "dist/command/probe.js" });
  expect(readFileSync(join(source, "package.json"), "utf8")).toBe(manifestText);
});

test("conditions, patterns and other files are packed as what they are", () => {
  const manifest = {
    name: "x",
    exports: {
      ".": { browser: "./src/browser.ts", default: "./src/index.ts" },
      "./parts/*": "./src/parts/*.ts",
      "./schema.json": "./schema.json",
      "./internal": null,
    },
    bin: "./src/command/main.ts",
    devDependencies: {},
  };
  expect(packedManifest(JSON.stringify(manifest))).toEqual({
    name: "x",
    exports: {
      ".": {
        browser: { types: "./dist/browser.d.ts", default: "./dist/browser.js" },
        default: { types: "./dist/index.d.ts", default: "./dist/index.js" },
      },
      "./parts/*": { types: "./dist/parts/*.d.ts", default: "./dist/parts/*.js" },
      "./schema.json": "./schema.json",
      "./internal": null,
    },
    bin: "dist/command/main.js",
  });
  expect(packedManifest('{"exports":"./src/index.ts"}')).toMatchObject({ types: "./dist/index.d.ts" });
});
