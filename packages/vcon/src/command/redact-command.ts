import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { type ReadableDocument, withContent } from "../document/states.ts";
import type { Vcon } from "../document/types.ts";
import { amend } from "../redaction/amend.ts";
import { redactWithJq } from "../redaction/jq-redact.ts";
import { builtInDetector } from "../redaction/pii/find-pii.ts";
import { presidioDetector } from "../redaction/pii/presidio.ts";
import { type RedactSelection, redact, type Selection } from "../redaction/redact.ts";
import { type PiiReport, redactPii } from "../redaction/redact-pii.ts";
import { optionsOf, requireReadable } from "./edit.ts";
import { CommandError } from "./exit-codes.ts";
import { domain, progress, readInput, writeDocument } from "./input-output.ts";
import { runJq } from "./jq.ts";

interface RedactFlags {
  readonly type?: string;
  readonly subject?: boolean;
  readonly dialog?: string;
  readonly analysis?: string;
  readonly attachments?: string;
  readonly keep?: string;
  readonly drop?: string;
  readonly jq?: string;
  readonly pii?: boolean;
  readonly keepNames?: boolean;
  readonly country: string;
  readonly presidio?: string;
  readonly report?: string;
}

/** `vcon redact` and `vcon amend`. */
export function addRedactCommand(program: Command): void {
  program
    .command("redact")
    .description("make a redacted copy, with a uuid of its own, that says which vCon it comes from")
    .option("--type <label>", "what kind of information is removed (default with --pii: PII)")
    .option("--pii", "find personal data, offline, and put {{KIND}} in its place; recordings are removed")
    .option("--subject", "remove the subject")
    .option("--dialog <which>", "remove contents of dialogs: all, numbers 0,2, or types text,recording")
    .option("--analysis <which>", "remove contents of analyses: all, numbers or types")
    .option("--attachments <which>", "remove contents of attachments: all, numbers or purposes")
    .option("--keep <members>", "what stays of the parties, for example name,role")
    .option("--drop <members>", "what goes from the parties, for example tel,mailto")
    .option("--jq <program>", "its first result is the redacted vCon")
    .option("--keep-names", "with --pii: leave the names of the parties in")
    .option("--country <code>", "with --pii: whose telephone numbers have no country code", "US")
    .option("--presidio <url>", "with --pii: ask this Presidio analyzer instead")
    .option(
      "--report <file>",
      "with --pii: write what was found where, as JSON, without the words themselves",
    )
    .addHelpText(
      "after",
      `
Examples:
  vcon -i call.vcon redact --pii > clean.vcon
  vcon -i call.vcon redact --type recording --dialog recording --drop tel,mailto
  vcon -i call.vcon redact --type cards --jq 'del(.dialog[0].body)'`,
    )
    .action(async (_own, command: Command) => {
      const options = optionsOf<RedactFlags>(command);
      const select = selectionOf(options);
      if (select === undefined && options.jq === undefined && !options.pii) {
        throw new CommandError(
          "Say what to redact, for example --pii or --dialog all; vcon redact --help lists it.",
          2,
        );
      }
      const document = requireReadable(await readInput(options));
      progress.say("Redacting");
      await writeDocument(withContent(document, await redacted(document, { options, select })), options);
    });
  program
    .command("amend")
    .description(
      "make a copy, with a uuid of its own, that says which vCon it amends: to be changed instead of it",
    )
    .action(async (_own, command: Command) => {
      const options = optionsOf(command);
      const document = requireReadable(await readInput(options));
      await writeDocument(withContent(document, await amend(document.vcon, { domain })), options);
    });
}

/** Selection, jq program and detection, in this order: all make one redacted copy of the original. */
async function redacted(
  { vcon }: ReadableDocument,
  { options, select = {} }: { readonly options: RedactFlags; readonly select: RedactSelection | undefined },
): Promise<Vcon> {
  const { jq: query, pii, type = pii ? "PII" : undefined } = options;
  if (type === undefined) throw new CommandError("Say with --type what kind of information is removed.", 2);
  const first =
    query === undefined
      ? await redact(vcon, { domain, type, select })
      : await redactWithJq(vcon, { domain, type, select, query, jq: runJq });
  if (!pii) return first;
  const detector = options.presidio === undefined ? undefined : presidioDetector({ url: options.presidio });
  const { vcon: clean, report } = await redactPii(first, {
    domain,
    uuid: first.uuid,
    type,
    detector: detector ?? builtInDetector({ country: options.country }),
    ...(options.keepNames ? { keepNames: true } : {}),
  });
  await tell(report, options.report);
  return { ...clean, redacted: first.redacted ?? null };
}

async function tell(report: PiiReport, file: string | undefined): Promise<void> {
  if (file !== undefined) await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
  const counts = Object.entries(report.counts).map(([kind, count]) => `${count} ${kind}`);
  process.stderr.write(`vcon: redacted ${counts.join(", ") || "nothing: no personal data was found"}.\n`);
}

function selectionOf({
  subject,
  dialog,
  analysis,
  attachments,
  keep,
  drop,
}: RedactFlags): RedactSelection | undefined {
  if (keep !== undefined && drop !== undefined) throw new CommandError("Give --keep or --drop, not both.", 2);
  const select: RedactSelection = {
    ...(subject ? { subject } : {}),
    ...(dialog === undefined ? {} : { dialog: entries(dialog) }),
    ...(analysis === undefined ? {} : { analysis: entries(analysis) }),
    ...(attachments === undefined ? {} : { attachments: entries(attachments) }),
    ...(keep === undefined ? {} : { parties: { keep: words(keep) } }),
    ...(drop === undefined ? {} : { parties: { drop: words(drop) } }),
  };
  return Object.keys(select).length === 0 ? undefined : select;
}

function entries(text: string): Selection {
  if (text === "all") return "all";
  const list = words(text);
  return list.every((word) => /^\d+$/.test(word)) ? list.map(Number) : { type: list };
}

function words(text: string): readonly string[] {
  return text.split(",").map((word) => word.trim());
}
