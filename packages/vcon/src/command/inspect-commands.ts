import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import {
  contentBytes,
  contentHash,
  type HashAlgorithm,
  hashesOf,
  inlineBytes,
  verifyContentHash,
} from "../document/content.ts";
import { VconError } from "../document/errors.ts";
import { member, objectsMember, stringMember } from "../document/json.ts";
import { rewrite } from "../document/rewrite.ts";
import { type TargetVersion, toVersion } from "../document/to-version.ts";
import type { Vcon } from "../document/types.ts";
import { optionsOf, requireReadable } from "./edit.ts";
import { CommandError } from "./exit-codes.ts";
import { type GlobalOptions, progress, readBytes, readInput, write } from "./input-output.ts";
import { index, withFile } from "./operands.ts";
import { addShowCommand } from "./show-command.ts";
import { addValidateCommand } from "./validate-command.ts";

/** `vcon show|validate|extract|convert|hash`: what looks at a vCon. */
export function addInspectCommands(program: Command): void {
  addShowCommand(program);
  addValidateCommand(program);
  addExtractCommand(program);
  addConvertCommand(program);
  addHashCommand(program);
}

const lists = { dialog: "dialog", analysis: "analysis", attachment: "attachments" } as const;

function addExtractCommand(program: Command): void {
  const extract = program
    .command("extract")
    .description("write the content of one entry: the recording, message or file itself");
  for (const [name, list] of Object.entries(lists)) {
    extract
      .command(name)
      .argument("<index>", "its number; the first is 0")
      .addHelpText(
        "after",
        "\nWhat is not in the vCon is fetched from its address, and checked against its hash.",
      )
      .action(async (number: string, _own, command: Command) => {
        const options = optionsOf(command);
        const { vcon } = requireReadable(await readInput(options));
        const entries = objectsMember(vcon, list);
        const entry = entries[index(number)];
        if (entry === undefined) {
          const there = entries.length === 0 ? "it has none" : `it has ${name} 0 to ${entries.length - 1}`;
          throw new CommandError(`The vCon has no ${name} ${number}; ${there}.`, 1);
        }
        progress.say("Fetching the content");
        await write(await contentBytes(entry), options);
      });
  }
}

const versions: readonly TargetVersion[] = ["0.0.2", "0.3.0", "0.4.0"];

function addConvertCommand(program: Command): void {
  program
    .command("convert")
    .description("write the vCon in another version of the format, for programs that read only that")
    .argument("[file]", "instead of -i")
    .requiredOption("--to <version>", `one of ${versions.join(", ")}`)
    .action(async (file: string | undefined, { to }: { to: string }, command: Command) => {
      const options = withFile(optionsOf(command), file);
      const target = versions.find((version) => version === to);
      if (target === undefined) throw new CommandError(`--to: ${to} is none of ${versions.join(", ")}.`, 2);
      const { source, vcon } = requireReadable(await readInput(options));
      const { vcon: changed, lost } = toVersion(vcon, target);
      for (const line of lost) process.stderr.write(`vcon: ${target} has no words for ${line}\n`);
      await write(rewrite({ text: source.text, original: source.value, changed }), options);
    });
}

function addHashCommand(program: Command): void {
  program
    .command("hash")
    .description("print the content hash of a file, as vCons have it; or check those of a vCon")
    .argument("[file]", "default: stdin, or -i")
    .option("--algorithm <name>", "sha512, sha384 or sha256", "sha512")
    .option("--check", "check every content hash in the vCon; contents elsewhere are fetched")
    .addHelpText("after", "\nExamples:\n  vcon hash call.wav\n  vcon -i call.vcon hash --check")
    .action(
      async (file: string | undefined, flags: { algorithm: string; check?: boolean }, command: Command) => {
        const options = withFile(optionsOf(command), file);
        if (flags.check) return check(options);
        const { algorithm } = flags;
        if (!isAlgorithm(algorithm))
          throw new CommandError(`--algorithm: ${algorithm} is none of sha512, sha384, sha256.`, 2);
        const bytes =
          options.infile === undefined ? await readBytes(options) : await readFile(options.infile);
        return write(`${await contentHash(bytes ?? new Uint8Array(), algorithm)}\n`, options);
      },
    );
}

function isAlgorithm(name: string): name is HashAlgorithm {
  return ["sha512", "sha384", "sha256"].includes(name);
}

/** A line for each content hash; the worst result decides about the exit status. */
async function check(options: GlobalOptions): Promise<void> {
  const { vcon } = requireReadable(await readInput(options));
  const results = await Promise.all(Object.values(lists).flatMap((list) => checkList(vcon, list)));
  const lines = results.filter((result) => result !== undefined);
  await write(
    lines.map(({ place, said }) => `${place}: ${said}\n`).join("") || "There are no content hashes.\n",
    options,
  );
  const failed = lines.filter(({ exitCode }) => exitCode !== 0);
  const [first] = failed.toSorted((a, b) => a.exitCode - b.exitCode);
  if (first !== undefined)
    throw new CommandError(`${failed.length} of ${lines.length} contents are not confirmed.`, first.exitCode);
}

function checkList(vcon: Vcon, list: (typeof lists)[keyof typeof lists]) {
  return objectsMember(vcon, list).map(async (entry, at) => {
    const tokens = hashesOf(entry);
    if (tokens.length === 0) return undefined;
    const place = `${list}[${at}]`;
    const isElsewhere = typeof member(entry, "url") === "string";
    if (!isElsewhere && !stringMember(entry, "body"))
      return { place, said: "its content was removed", exitCode: 0 };
    try {
      await verifyContentHash(inlineBytes(entry) ?? (await contentBytes(entry)), tokens);
      return { place, said: "good", exitCode: 0 };
    } catch (error) {
      if (!(error instanceof VconError)) throw error;
      return { place, said: error.message, exitCode: error.code === "fetch_failed" ? 5 : 3 };
    }
  });
}
