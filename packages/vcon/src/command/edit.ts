import type { Command } from "commander";
import { VconBuilder } from "../building/builder.ts";
import { type ReadableDocument, type VconDocument, withContent } from "../document/states.ts";
import { CommandError } from "./exit-codes.ts";
import { type GlobalOptions, readInput, writeDocument } from "./input-output.ts";

/** The options of a command and those that all have. */
export function optionsOf<Own extends object>(command: Command): Own & GlobalOptions {
  return command.optsWithGlobals<Own & GlobalOptions>();
}

/** The content can be read and changed only while it is not signed or encrypted. */
export function requireReadable(document: VconDocument): ReadableDocument {
  if ("vcon" in document) return document;
  const hint =
    document.state === "encrypted"
      ? "Decrypt it first: vcon decrypt KEY."
      : "Verify it first: vcon verify CA.";
  throw new CommandError(
    `The vCon is ${document.state === "encrypted" ? "encrypted" : "signed"}. ${hint}`,
    1,
  );
}

/** Reads the vCon, changes it, and writes it. */
export async function edit(options: GlobalOptions, change: (builder: VconBuilder) => unknown): Promise<void> {
  const document = requireReadable(await readInput(options));
  const builder = new VconBuilder(document.vcon);
  await change(builder);
  await writeDocument(withContent(document, builder.current), options);
}
