import type { Command } from "commander";
import { toText } from "../document/states.ts";
import { optionsOf } from "./edit.ts";
import { getVcon, postVcon, vconUrl } from "./http.ts";
import { progress, readDocument, readInput, write, writeDocument } from "./input-output.ts";

/** `vcon post` and `vcon get`. */
export function addServerCommands(program: Command): void {
  const help =
    "\nFor a server that wants a token, put it into the variable VCON_TOKEN. For TLS: --ca, --cert, --key.";
  program
    .command("post")
    .description("store the vCon on a server; prints its uuid")
    .argument("<url>", "of the server, for example https://vcons.example.com")
    .addHelpText("after", help)
    .action(async (url: string, _own, command: Command) => {
      const options = optionsOf(command);
      const target = vconUrl(url);
      const document = await readInput(options);
      progress.say(`Posting to ${target.host}`);
      await postVcon(target, toText(document), options);
      await write(document.uuid === undefined ? "" : `${document.uuid}\n`, options);
    });
  program
    .command("get")
    .description("get a vCon from a server")
    .argument("<url>", "of the server, for example https://vcons.example.com")
    .argument("<uuid>")
    .addHelpText("after", help)
    .action(async (url: string, uuid: string, _own, command: Command) => {
      const options = optionsOf(command);
      progress.say(`Fetching ${uuid}`);
      await writeDocument(await readDocument(await getVcon(vconUrl(url, uuid), options)), options);
    });
}
