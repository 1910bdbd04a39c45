import { randomBytes } from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { StartupError } from "../startup-error.ts";

/**
 * The embedded PostgreSQL's password, kept in the file `password` for the owner's eyes only.
 * @param directory where the file is
 * @param options.create whether to make the password if there is none yet
 * @throws StartupError when there is none, or it cannot be read or written
 */
export async function readPassword(
  directory: string,
  { create }: { readonly create: boolean },
): Promise<string> {
  const path = join(directory, "password");
  try {
    if (create) await createFile(path, `${randomBytes(24).toString("base64url")}\n`);
    const password = (await readFile(path, "utf8")).trim();
    if (password !== "") return password;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) {
      throw new StartupError(
        `The embedded PostgreSQL's password in ${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
        "Make the file readable for the user that runs the server, or choose another directory: VCON_STORAGE_URL=embedded:DIRECTORY",
        { cause: error },
      );
    }
  }
  throw passwordLost(directory);
}

/** The data are there, but the password that opens them is not. */
export function passwordLost(directory: string, cause?: unknown): StartupError {
  const data = join(directory, "postgres");
  return new StartupError(
    `The password in ${join(directory, "password")} does not open the database in ${data}.`,
    `Put the file back from a copy. Without one: start PostgreSQL with "trust" in ${join(data, "pg_hba.conf")}, give the role vconductor a new password, and write it to the file. If the data are not needed, remove ${data} and the file.`,
    { cause },
  );
}

/** Whole or not at all, whoever else makes it at the same time and whenever the power fails. */
async function createFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(9).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}
