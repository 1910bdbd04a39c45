import tab from "@bomb.sh/tab/commander";
import { Command, Option } from "commander";
import { addAddCommands } from "./add-commands.ts";
import { splitValues } from "./arguments.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { addFilterCommands, type Registration } from "./filter-commands.ts";
import { type GlobalOptions, readInput, writeDocument } from "./input-output.ts";
import { addInspectCommands } from "./inspect-commands.ts";
import { addRedactCommand } from "./redact-command.ts";
import { addSealCommands } from "./seal-commands.ts";
import { addServerCommands } from "./server-commands.ts";
import { version } from "./version.ts";

const examples = `
Examples:
  vcon -i call.vcon                               migrate to the newest version, on stdout
  vcon show call.vcon                             read it at the terminal
  vcon -n add in-recording call.wav 2026-03-04T10:00:00Z 0 > call.vcon
  vcon -i call.vcon sign key.pem cert.pem | vcon encrypt bob.pem > sealed.vcon
  vcon -i sealed.vcon decrypt bob.key | vcon verify ca.pem
  vcon -i call.vcon filter create_amended redact_pii -fo '{"country":"DE"}'
  vcon -g localhost 8000 UUID validate

Exit status:
${exitCodes.map(([code, meaning]) => `  ${code}  ${meaning}`).join("\n")}

Help for one command: vcon COMMAND --help. Completion: vcon completion bash (or zsh, fish, powershell).`;

/** The whole command line; `parseAsync` runs it. */
export function buildProgram(): Command {
  const program = new Command("vcon")
    .description(
      "Makes, reads, changes, signs and encrypts vCons. Commands read one from stdin (or -i, -g, -n) and write one to stdout (or -o), so that they can be chained by pipes. Without a command the vCon is brought to the newest version.",
    )
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`vcon: ${oneLine(text)} (--help shows how to use it)\n`),
    })
    .addHelpText("after", examples);
  addGlobalOptions(program);
  addAddCommands(program);
  addFilterCommands(program);
  addRedactCommand(program);
  addSealCommands(program);
  addInspectCommands(program);
  addServerCommands(program);
  tab(program, { completionCommandName: "completion" });
  program.commands
    .find((command) => command.name() === "completion")
    ?.description("print the completion script of a shell: bash, zsh, fish or powershell");
  return program.allowExcessArguments().action(async (options: GlobalOptions) => {
    const [unknown] = program.args;
    if (unknown !== undefined) throw new CommandError(unknownCommand(program, unknown), 2);
    await writeDocument(await readInput(options), options);
  });
}

function oneLine(text: string): string {
  return text
    .replace(/^error: /, "")
    .trim()
    .replace(/\s*\n\s*/g, " ");
}

function addGlobalOptions(program: Command): void {
  const input = "Input (one of these; stdin otherwise, where nothing at all is a new vCon):";
  const output = "Output (stdout otherwise):";
  const server = "For servers:";
  const options = [
    group(new Option("-i, --infile <FILE>", "read this file"), input),
    group(new Option("-g, --get <HOST PORT UUID>", "get it from a server").argParser(toGet), input),
    group(new Option("-n, --newvcon", "begin with a new, empty one"), input),
    group(new Option("-o, --outfile <FILE>", "write to this file"), output),
    group(new Option("-p, --post <HOST PORT>", "after that, post it to a server").argParser(toPost), output),
    group(
      new Option("--token <TOKEN>", "access token; better in the variable VCON_TOKEN, where nobody sees it"),
      server,
    ),
    group(new Option("--ca <FILE>", "PEM certificates to trust beside the system's"), server),
    group(new Option("--cert <FILE>", "PEM certificate to show to the server"), server),
    group(new Option("--key <FILE>", "PEM private key of that certificate"), server),
    group(new Option("--timeout <SECONDS>", "how long to wait for an answer (default: 60)"), server),
    new Option(
      "-r, --register <NAME MODULE CLASS INITJSON>",
      "add a filter: an export of a JavaScript module, and its options",
    ).argParser(toRegister),
  ];
  for (const option of options) program.addOption(option);
}

function toGet(text: string): GlobalOptions["get"] {
  const [host = "", port = "", uuid = ""] = splitValues(text, "-g HOST PORT UUID");
  return { host, port, uuid };
}

function toPost(text: string): GlobalOptions["post"] {
  const [host = "", port = ""] = splitValues(text, "-p HOST PORT");
  return { host, port };
}

function toRegister(text: string, before: readonly Registration[] = []): readonly Registration[] {
  const [name = "", module = "", exported = "", init = ""] = splitValues(
    text,
    "-r NAME MODULE CLASS INITJSON",
  );
  return [...before, { name, module, exported, init }];
}

function group(option: Option, heading: string): Option {
  return option.helpGroup(heading);
}

function unknownCommand(program: Command, given: string): string {
  const names = program.commands.map((command) => command.name()).filter((name) => name !== "complete");
  const near = names.find((name) => name.startsWith(given.slice(0, 3)));
  const hint = near === undefined ? `The commands are ${names.join(", ")}.` : `Did you mean ${near}?`;
  return `There is no command ${JSON.stringify(given)}. ${hint}`;
}
