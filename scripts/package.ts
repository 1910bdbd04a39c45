/**
 * Makes the package in whose folder it runs ready for `npm pack` and `npm publish`, and puts everything back afterwards:
 * its `prepack`, `postpack` and `postpublish` call `node scripts/run.mjs package prepare|restore`.
 *
 * In the repository the package is its TypeScript sources, which Node.js runs as they are. It runs none that lie in
 * node_modules, so what is published is compiled into dist/, and its package.json points there.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { packedManifest, targetsOf } from "./package-manifest.ts";

const root = join(import.meta.dirname, "..");
const folder = process.cwd();
const dist = join(folder, "dist");
const manifest = join(folder, "package.json");

/** What there was before, for `restore`: a run that was killed leaves it for the next one. */
const journal = join(folder, ".packing");
const original = join(journal, "package.json");
const packed = join(journal, "packed.json");
const borrowed = join(journal, "borrowed.json");

/** Files that the whole project has once; the package takes them along unless it has its own. */
const shared = ["LICENSE", "CHANGELOG.md"];

/** What went wrong, for whoever packs. */
class Trouble extends Error {}

function prepare(): void {
  restore();
  compile();
  const source = readFileSync(manifest, "utf8");
  const next = `${JSON.stringify(packedManifest(source), null, 2)}\n`;
  requireTargets(next);
  const missing = shared.filter((name) => !existsSync(join(folder, name)));
  mkdirSync(journal);
  writeFileSync(packed, next);
  writeFileSync(borrowed, JSON.stringify(missing));
  replaceFile(original, source);
  for (const name of missing) copyFileSync(join(root, name), join(folder, name));
  // Last, and at once: whoever resolves the package meanwhile finds either the sources or all of dist/.
  replaceFile(manifest, next);
}

/** Does nothing when there is nothing to put back. */
function restore(): void {
  // A package.json that somebody has changed since is theirs, and stays.
  if (existsSync(original) && readFileSync(manifest, "utf8") === readFileSync(packed, "utf8")) {
    replaceFile(manifest, readFileSync(original, "utf8"));
  }
  for (const name of existsSync(borrowed) ? namesIn(borrowed) : [])
    rmSync(join(folder, name), { force: true });
  rmSync(journal, { recursive: true, force: true });
  rmSync(dist, { recursive: true, force: true });
}

function namesIn(path: string): readonly string[] {
  const names: unknown = JSON.parse(readFileSync(path, "utf8"));
  return shared.filter((name) => Array.isArray(names) && names.includes(name));
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function compile(): void {
  const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  const tsc = [join(typescript, "bin", "tsc"), "-p", join(folder, "tsconfig.build.json")];
  // `npm pack --json` prints its answer on standard output.
  const { status, error } = spawnSync(process.execPath, tsc, { cwd: folder, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Trouble(`The sources do not compile${error ? `: ${error.message}` : ""}.`);
  const source = join(folder, "src");
  cpSync(source, dist, { recursive: true, filter: (path) => extname(path) !== ".ts" });
  for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    const path = join(dist, name);
    if (name.endsWith(".d.ts")) pointToJavaScript(path);
    else if (name.endsWith(".js")) requireNoTypeScript(path);
  }
}

/** The compiler leaves `.ts` in the imports of declarations. Columns stay, so the maps stay right. */
function pointToJavaScript(path: string): void {
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/(\bfrom |\bimport ?\(?)"(\.\.?\/[^"\n]*)\.ts"/g, '$1"$2.js"'));
}

/** Addresses of workers and the like are not imports, so the compiler does not see them. */
function requireNoTypeScript(path: string): void {
  const found = /["'`]\.\.?\/[^"'`\n]*\.ts["'`]/.exec(readFileSync(path, "utf8"));
  if (found !== null) {
    throw new Trouble(
      `${path} names ${found[0]}, which is not in the package. Name it by import, or without ".ts".`,
    );
  }
}

function requireTargets(text: string): void {
  const { files, commands } = targetsOf(text);
  for (const name of [...files, ...commands]) {
    // The star of a pattern stands for names that are not known here.
    if (!name.includes("*") && !existsSync(join(folder, name))) {
      throw new Trouble(`package.json leads to ${name}, but there is no source for it.`);
    }
  }
  for (const name of commands) chmodSync(join(folder, name), 0o755);
}

const steps: Readonly<Record<string, () => void>> = {
  prepare,
  restore: () => {
    // npm publish reads package.json once more after `postpack`, and tells the registry what it says there.
    const publishing =
      ["publish", "stage"].includes(process.env.npm_command ?? "") &&
      process.env.npm_lifecycle_event === "postpack";
    if (!publishing) restore();
  },
};

const step = steps[process.argv[2] ?? ""];
try {
  if (dirname(folder) !== join(root, "packages")) throw new Trouble("run it in the folder of a package");
  if (step === undefined) throw new Trouble("usage: node scripts/run.mjs package prepare|restore");
  step();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  // npm runs no `postpack` after a `prepack` that failed.
  if (process.argv[2] === "prepare") restore();
  console.error(error instanceof Trouble ? error.message : error);
  process.exitCode = 1;
}
