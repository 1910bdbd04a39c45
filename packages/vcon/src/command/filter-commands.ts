import type { Command } from "commander";
import { optionsOf } from "./edit.ts";
import type { GlobalOptions } from "./input-output.ts";

/** A filter of somebody else's, as `-r` names it. */
export interface Registration {
  readonly name: string;
  readonly module: string;
  /** What the module calls it. */
  readonly exported: string;
  /** JSON. */
  readonly init: string;
}

export interface FilterFlags extends GlobalOptions {
  readonly list?: boolean;
  readonly register?: readonly Registration[];
}

/** `vcon filter …`. */
export function addFilterCommands(program: Command): void {
  program
    .command("filter")
    .description("run one or more filters over the vCon, one after the other")
    .argument(
      "[name...]",
      "names of filters, each with its options: NAME [-fo JSON]; @FILE reads the JSON from a file",
    )
    .option("--list", "list the filters")
    .addHelpText(
      "after",
      `
Examples:
  vcon -i call.vcon filter redact_pii
  vcon -i call.vcon filter create_amended sign -fo '{"private_pem_key":"key.pem","cert_chain_pems":["cert.pem"]}'
  vcon -i call.vcon -r shout ./shout.js shout '{"volume":11}' filter shout

PEM texts in options may be names of files. A registered filter is an export of a JavaScript module: a filter made by
defineFilter, or a function that makes one of INITJSON; INITJSON also gives the defaults of its options.`,
    )
    .action(async (operands: string[], _own, command: Command) => {
      const { listFilters, runFilters } = await import("./run-filters.ts");
      const options = optionsOf<FilterFlags>(command);
      return options.list ? listFilters(options) : runFilters(operands, options);
    });
}
