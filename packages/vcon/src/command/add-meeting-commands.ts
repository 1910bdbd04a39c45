import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { VconError } from "../document/errors.ts";
import type { Imported } from "../importing.ts";
import { edit, optionsOf } from "./edit.ts";
import { CommandError } from "./exit-codes.ts";
import { progress } from "./input-output.ts";

interface ZoneFlag {
  readonly timezone?: string;
}

const zone = [
  "--timezone <zone>",
  "of times without one, for example Europe/Berlin (default: this machine's)",
] as const;

/** `vcon add in-email|in-zoom|in-meet|in-file`: conversations from files of other programs. */
export function addMeetingCommands(add: Command): void {
  add
    .command("in-email")
    .description("add an e-mail message with its attachments and parties")
    .argument("<file>", "as mail programs save it (.eml)")
    .action(async (file: string, _own, command: Command) => {
      await addTo(command, async ({ importEmail }) => importEmail(await bytesOf(file)));
    });
  add
    .command("in-zoom")
    .description("add a Zoom recording: video or audio, chat, transcript and files")
    .argument("<folder>", "into which Zoom has saved it")
    .option(...zone)
    .action(async (folder: string, { timezone }: ZoneFlag, command: Command) => {
      await addTo(command, async ({ importZoom }) =>
        importZoom(await filesIn(folder), { ...zoneOption(timezone), folder: basename(resolve(folder)) }),
      );
    });
  add
    .command("in-meet")
    .description("add a Google Meet recording, and its chat when it is next to it")
    .argument("<file>", "the recording (mp4)")
    .action(async (file: string, _own, command: Command) => {
      await addTo(command, (importing) => meetIn(file, importing)).catch((error: unknown) => {
        const wrong = error instanceof VconError && error.code === "invalid_import";
        throw wrong ? new CommandError(error.message, 7) : error;
      });
    });
  add
    .command("in-file")
    .description(
      "add what is in a file, by its kind: e-mail, mbox, chat export, subtitles, SIPREC metadata, WTF",
    )
    .argument("<file...>")
    .option(...zone)
    .addHelpText("after", "\nExample:\n  vcon -n add in-file chat.txt --timezone Europe/Berlin > chat.vcon")
    .action(async (files: string[], { timezone }: ZoneFlag, command: Command) => {
      const sources = files.map((file) => async ({ importFile }: Importing) => {
        const [bytes, { mtimeMs: modifiedAt }] = [await bytesOf(file), await stat(file)];
        return importFile({ name: basename(file), bytes, modifiedAt, ...zoneOption(timezone) });
      });
      await addTo(command, ...sources);
    });
}

type Importing = typeof import("../importing.ts");
type ImportSource = (importing: Importing) => Imported | Promise<Imported>;

/** The importers are loaded when they are needed, because most commands need none. */
async function addTo(command: Command, ...sources: readonly ImportSource[]): Promise<void> {
  const importing = await import("../importing.ts");
  await edit(optionsOf(command), async (builder) => {
    for (const source of sources) {
      builder.replace(importing.addImported(builder.current, await source(importing)));
    }
  });
}

function zoneOption(timezone: string | undefined): ZoneFlag {
  return timezone === undefined ? {} : { timezone };
}

async function bytesOf(file: string): Promise<Uint8Array> {
  progress.say(`Reading ${file}`);
  return new Uint8Array(await readFile(file));
}

async function filesIn(folder: string) {
  const names = await readdir(folder, { withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
  return Promise.all(files.map(async (name) => ({ name, bytes: await bytesOf(join(folder, name)) })));
}

/** The chat has the recording's name without the ` (HASH)` at its end, and perhaps `.txt`. */
async function meetIn(file: string, { importMeet }: Importing): Promise<Imported> {
  const name = basename(file);
  const stem = name.replace(/\.[^.]*$/, "").replace(/ \([^()]*\)$/, "");
  const siblings = await readdir(dirname(file));
  const chat = [stem, `${stem}.txt`].find((each) => each !== name && siblings.includes(each));
  return importMeet({
    recording: { name, bytes: await bytesOf(file) },
    modifiedAt: (await stat(file)).mtimeMs,
    ...(chat === undefined ? {} : { chat: { name: chat, bytes: await bytesOf(join(dirname(file), chat)) } }),
  });
}
