import { readFileSync } from "node:fs";
import type { Vcon } from "../../src/document/types.ts";
import { addImported } from "../../src/importing/add-imported.ts";
import type { Imported } from "../../src/importing/imported.ts";
import { validate } from "../../src/validation/validate.ts";

const empty: Vcon = {
  vcon: "0.4.0",
  uuid: "019daf60-0b52-8b85-b708-0d221ebaf96f",
  created_at: "2026-04-21T09:30:00Z",
  parties: [],
  dialog: [],
  analysis: [],
  attachments: [],
};

/** What an importer found, in a new vCon. */
export function inNew(imported: Imported): Vcon {
  return addImported(empty, imported);
}

/** What is wrong with what we write. */
export function errorsOf(vcon: Vcon): readonly string[] {
  return validate(vcon)
    .filter(({ severity }) => severity === "error")
    .map(({ path, message }) => `${path.join(".")}: ${message}`);
}

export function mediaFixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/media/${name}`, import.meta.url)));
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
