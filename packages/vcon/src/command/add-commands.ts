import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Command } from "commander";
import type { VconBuilder } from "../building/builder.ts";
import { isArray, isObject } from "../document/json.ts";
import type { JsonValue, PartyReference } from "../document/types.ts";
import { addMeetingCommands } from "./add-meeting-commands.ts";
import { edit, optionsOf } from "./edit.ts";
import { CommandError } from "./exit-codes.ts";
import { progress } from "./input-output.ts";
import { index, parseArgument } from "./operands.ts";

/** `vcon add …`: what goes into a vCon. */
export function addAddCommands(program: Command): void {
  const add = program
    .command("add")
    .description("add a recording, message, meeting, party, tag or file to the vCon");
  addRecordingCommands(add);
  addMeetingCommands(add);
  add
    .command("party")
    .description("add a party; prints nothing but the vCon: the first party is number 0")
    .argument("<json>", `members of the party, for example '{"name":"Ann","tel":"+12025550101"}'`)
    .action(async (json: string, _own, command: Command) => {
      const party = parseArgument(json, "party");
      if (!isObject(party)) throw new CommandError('party: give a JSON object such as {"name":"Ann"}.', 2);
      await edit(optionsOf(command), (builder) => builder.addParty(party));
    });
  add
    .command("tag")
    .description("add tags")
    .argument("<key:value...>", "for example queue:support")
    .action(async (tags: string[], _own, command: Command) =>
      edit(optionsOf(command), (builder) => builder.addTags(...tags)),
    );
  add
    .command("attachment")
    .description("add a file")
    .argument("<file>")
    .option("--purpose <purpose>", "what it is for, for example contract")
    .option("--party <index>", "who gave it", index, 0)
    .option("--dialog <index>", "in which dialog", index, 0)
    .option("--mediatype <type>", "default: by the file's name")
    .action(async (file: string, _own, command: Command) => {
      const { purpose, party, dialog, mediatype, ...options } = optionsOf<AttachmentFlags>(command);
      await edit(options, async (builder) => {
        builder.addAttachment({
          ...(purpose === undefined ? {} : { purpose }),
          ...(mediatype === undefined ? {} : { mediatype }),
          ...{ party, dialog, filename: basename(file), body: await readFile(file) },
        });
      });
    });
}

interface AttachmentFlags {
  readonly purpose?: string;
  readonly mediatype?: string;
  readonly party: number;
  readonly dialog: number;
}

function addRecordingCommands(add: Command): void {
  const date = "when it began, for example 2026-03-04T10:00:00Z";
  const who = "numbers of parties: 0, [0,1], or per channel [[0],[1,2]]";
  add
    .command("in-recording")
    .description("add a recording, inside the vCon; its length is read from the file")
    .argument("<file>", "wav, mp3, m4a, mp4, ogg, webm or flac")
    .argument("<start>", date)
    .argument("<parties>", who)
    .addHelpText(
      "after",
      "\nExample:\n  vcon -n add in-recording call.wav 2026-03-04T10:00:00Z '[0,1]' > call.vcon",
    )
    .action(async (file: string, start: string, parties: string, _own, command: Command) => {
      await edit(optionsOf(command), async (builder) => {
        const common = await recording(builder, { file, start, parties });
        await builder.addRecording(common);
      });
    });
  add
    .command("ex-recording")
    .description("add a recording that stays where it is: its address, hash and length")
    .argument("<file>", "the file that the address gives")
    .argument("<start>", date)
    .argument("<parties>", who)
    .argument("<url>", "where it is")
    .action(async (file: string, start: string, parties: string, url: string, _own, command: Command) => {
      await edit(optionsOf(command), async (builder) => {
        const common = await recording(builder, { file, start, parties });
        await builder.addExternalRecording({ ...common, url });
      });
    });
}

async function recording(
  builder: VconBuilder,
  { file, start, parties }: { readonly file: string; readonly start: string; readonly parties: string },
) {
  const reference = partyReference(parseArgument(parties, "parties"));
  requireParties(builder, reference);
  progress.say(`Reading ${file}`);
  return { body: new Uint8Array(await readFile(file)), filename: basename(file), start, parties: reference };
}

function partyReference(value: JsonValue): PartyReference {
  if (value === null || (typeof value === "number" && Number.isInteger(value) && value >= 0)) return value;
  if (isArray(value)) return value.map(partyReference);
  throw new CommandError(`parties: ${JSON.stringify(value)} is no number of a party, nor a list of them.`, 2);
}

/** The reference takes parties that are not there. Here they are added, without a name, so that the vCon is valid. */
function requireParties(builder: VconBuilder, reference: PartyReference): void {
  const largest = Math.max(-1, ...numbersIn(reference));
  if (largest > 1000) throw new CommandError(`parties: there is no party ${largest}.`, 2);
  for (let count = builder.current.parties?.length ?? 0; count <= largest; count += 1) {
    builder.addParty({});
    process.stderr.write(`vcon: party ${count} was not there; it was added without a name.\n`);
  }
}

function numbersIn(reference: PartyReference): readonly number[] {
  if (reference === null) return [];
  return typeof reference === "number" ? [reference] : reference.flatMap(numbersIn);
}
