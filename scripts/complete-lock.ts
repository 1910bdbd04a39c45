/**
 * Adds to package-lock.json the optional packages of other platforms that npm left out. npm leaves out those that the
 * registry in use does not have, and then `npm ci` refuses the lock on every machine. Run it after a change of
 * dependencies: `node scripts/complete-lock.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Entry {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly dev?: boolean;
  readonly license?: string;
  readonly engines?: Readonly<Record<string, string>>;
}

const path = join(import.meta.dirname, "..", "package-lock.json");
const lock: { packages: Record<string, Entry> } = JSON.parse(readFileSync(path, "utf8"));
const { "": root, ...packages } = lock.packages;
const added: Record<string, object> = {};

for (const [place, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (`node_modules/${name}` in packages || `${place}/node_modules/${name}` in packages) continue;
    // Names such as cli-linux-x64-musl: what it is, the system, the processor, the C library.
    const [, system = "", processor = "", abi = ""] = (name.split("/").at(-1) ?? "").split("-");
    added[`node_modules/${name}`] = {
      version,
      cpu: [processor],
      ...(entry.dev === undefined ? {} : { dev: entry.dev }),
      ...(system === "linux" ? { libc: [abi.startsWith("musl") ? "musl" : "glibc"] } : {}),
      ...(entry.license === undefined ? {} : { license: entry.license }),
      optional: true,
      os: [system],
      ...(entry.engines === undefined ? {} : { engines: entry.engines }),
    };
  }
}

const sorted = Object.entries({ ...packages, ...added }).sort(([a], [b]) => (a < b ? -1 : 1));
const complete = {
  ...lock,
  packages: { ...(root === undefined ? {} : { "": root }), ...Object.fromEntries(sorted) },
};
writeFileSync(path, `${JSON.stringify(complete, null, 2)}\n`);
process.stdout.write(`${Object.keys(added).length} added\n`);
