import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";

const root = join(import.meta.dirname, "../../../..");

/** The commands in the documents use `curl --json`. */
export const hasCurl = spawnSync("curl", ["--json", "{}", "--version"]).status === 0;

/**
 * Runs the shell commands below a heading of a document, as they stand there; whichever address they set, URL is the one
 * given here.
 *
 * @param env beside PATH and HOME
 * @returns what they printed
 */
export async function follow(
  document: string,
  heading: string,
  env: Readonly<Record<string, string>> & { readonly URL: string },
): Promise<string> {
  const text = readFileSync(join(root, document), "utf8");
  const start = text.indexOf(`## ${heading}\n`);
  expect(start, heading).toBeGreaterThan(0);
  const end = text.indexOf("\n## ", start + 1);
  const section = text.slice(start, end < 0 ? undefined : end);
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code]) => code);
  const script = blocks.join("\n").replaceAll("http://localhost:8000", env.URL);
  const { PATH = "", HOME = "" } = process.env;
  const { stdout } = await promisify(execFile)("bash", ["-eu", "-o", "pipefail", "-c", script], {
    cwd: root,
    timeout: 60_000,
    env: { HOME, PATH: `${dirname(process.execPath)}:${join(root, "node_modules/.bin")}:${PATH}`, ...env },
  });
  return stdout;
}
