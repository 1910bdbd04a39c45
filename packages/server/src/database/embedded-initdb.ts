import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { StartupError } from "../startup-error.ts";
import type { Account } from "./embedded-account.ts";
import { failure, run } from "./embedded-process.ts";

/** Whether there is a whole data directory. */
export function isInitialised(data: string): boolean {
  return existsSync(join(data, "PG_VERSION"));
}

/**
 * Makes PostgreSQL's data directory unless it is there. It is made under another name first, so that a start that
 * was cut short leaves no half of one, and of several servers at once the first wins.
 * @param options.role the superuser. @param options.password its password
 * @throws StartupError when it cannot be made
 */
export async function initialise(options: {
  readonly data: string;
  readonly initdb: string;
  readonly account: Account | undefined;
  readonly role: string;
  readonly password: string;
}): Promise<void> {
  const { data } = options;
  if (!isInitialised(data)) {
    const half = `${data}.new-${randomBytes(9).toString("hex")}`;
    try {
      await make(half, options);
      await rename(join(half, "data"), data);
    } catch (error) {
      // Another server on this directory was faster, and may have removed our half already.
      if (!isInitialised(data)) {
        throw error instanceof StartupError ? error : unmade(data, String(error));
      }
    } finally {
      await rm(half, { recursive: true, force: true });
    }
  }
  await removeHalves(data);
}

async function make(half: string, options: Parameters<typeof initialise>[0]): Promise<void> {
  const { account, role, password } = options;
  const data = join(half, "data");
  const passwordFile = join(half, "password");
  await mkdir(half, { mode: 0o700 });
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account !== undefined) {
    for (const path of [half, data, passwordFile]) await chown(path, account.uid, account.gid);
  }
  const { ended, output } = run(options.initdb, {
    data,
    account,
    args: [
      `--username=${role}`,
      "--pwfile=../password",
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale-provider=builtin",
      "--locale=C.UTF-8",
      "--lc-messages=C",
    ],
  });
  const code = await ended;
  if (code !== 0) throw unmade(options.data, output(), ` (exit code ${code})`);
}

function unmade(data: string, said: string, how = ""): StartupError {
  return failure(dirname(data), `could not make its data directory${how}`, said);
}

/** What a start left behind that was killed while it made the data directory. Nobody needs it once there is one. */
async function removeHalves(data: string): Promise<void> {
  const prefix = `${basename(data)}.new-`;
  for (const name of await readdir(dirname(data))) {
    if (name.startsWith(prefix)) {
      await rm(join(dirname(data), name), { recursive: true, force: true, maxRetries: 5 });
    }
  }
}
