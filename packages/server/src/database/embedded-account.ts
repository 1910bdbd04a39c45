import { spawnSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { StartupError } from "../startup-error.ts";

/** Who PostgreSQL runs as when the server itself is root, which PostgreSQL refuses. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const user = "postgres";

/**
 * The account to run PostgreSQL as: undefined for the server's own; as root the owner of the data, if it has one
 * already, else the system user `postgres`, which is made if it is missing.
 * @param data PostgreSQL's data directory; it need not exist
 * @throws StartupError when the data belongs to another user, or the system user cannot be made
 */
export async function chooseAccount(data: string): Promise<Account | undefined> {
  const self = process.getuid?.();
  if (self === undefined) return undefined;
  const owner = await ownerOf(data);
  if (self !== 0) {
    if (owner === undefined || owner.uid === self) return undefined;
    throw new StartupError(
      `The data directory ${data} belongs to ${nameOf(owner.uid)}, and this server runs as ${nameOf(self)}.`,
      `Run the server as ${nameOf(owner.uid)}${owner.uid === 0 ? "" : " or as root"}, or choose another directory: VCON_STORAGE_URL=embedded:DIRECTORY`,
    );
  }
  if (owner !== undefined && owner.uid !== 0) return owner;
  return lookUp() ?? create();
}

async function ownerOf(path: string): Promise<Account | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new StartupError(
      `The data directory ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      "Give the user that runs the server access to it, or choose another directory: VCON_STORAGE_URL=embedded:DIRECTORY",
      { cause: error },
    );
  }
}

function lookUp(): Account | undefined {
  const uid = ask("id", ["-u", user]);
  const gid = ask("id", ["-g", user]);
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

function create(): Account {
  spawnSync("useradd", ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", user], {
    stdio: "ignore",
    // A plain `su` on Debian keeps the path of the user it came from, which has no place for such programs.
    env: { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` },
  });
  const account = lookUp();
  if (account !== undefined) return account;
  throw new StartupError(
    `PostgreSQL refuses to run as root, and the system user ${user} for it could not be made.`,
    `Make the user (useradd --system ${user}), run the server as an ordinary user, or give a PostgreSQL of your own with VCON_STORAGE_URL=postgres://…`,
  );
}

function nameOf(uid: number): string {
  return `${ask("id", ["-un", String(uid)]) ?? "a user without a name"} (uid ${uid})`;
}

function ask(command: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
