import type { Command } from "commander";
import { isArray, member, objectMember, objectsMember, stringMember } from "../document/json.ts";
import type { EncryptedDocument, UnverifiedDocument } from "../document/states.ts";
import { validate } from "../validation/validate.ts";
import { optionsOf } from "./edit.ts";
import { progress, readInput, write } from "./input-output.ts";
import { withFile } from "./operands.ts";
import { renderSummary } from "./show.ts";
import { renderSealed } from "./show-sealed.ts";

interface ShowFlags {
  readonly timezone: string;
  readonly width?: string;
}

/** `vcon show`. */
export function addShowCommand(program: Command): void {
  program
    .command("show")
    .description("a readable summary and the conversation, for the terminal")
    .argument("[file]", "instead of -i")
    .option("--timezone <zone>", "for times, for example Europe/Berlin", "UTC")
    .option("--width <columns>", "default: the terminal's, else 80")
    .addHelpText("after", "\nExample:\n  vcon show call.vcon | less")
    .action(async (file: string | undefined, flags: ShowFlags, command: Command) => {
      const options = withFile(optionsOf(command), file);
      const document = await readInput(options);
      progress.say("Laying out");
      const width = Number(flags.width) || process.stdout.columns || 80;
      const colour = options.outfile === undefined && wantsColour();
      const text =
        "vcon" in document
          ? renderSummary(document.vcon, {
              width,
              colour,
              timeZone: flags.timezone,
              findings: validate(document.vcon, { mode: "lenient" }).length,
            })
          : renderSealed(document, { width, colour, signers: await signersOf(document) });
      await write(text, options);
    });
}

/** https://no-color.org and its opposite; otherwise at a terminal only. */
function wantsColour(): boolean {
  if (process.env.NO_COLOR) return false;
  if (process.env.FORCE_COLOR && process.env.FORCE_COLOR !== "0") return true;
  return process.stdout.isTTY && process.env.TERM !== "dumb";
}

/** Whom the certificates in the headers name. Nothing of it is checked. */
async function signersOf(
  document: UnverifiedDocument | EncryptedDocument,
): Promise<readonly (string | undefined)[]> {
  if (document.state === "encrypted") return [];
  const { decodeBase64url } = await import("../document/base64url.ts");
  const { nameText, parseCertificate } = await import("../security/certificate.ts");
  const { readHeaders } = await import("../security/headers.ts");
  return objectsMember(document.jws, "signatures").map((signature) => {
    try {
      const { all } = readHeaders(
        stringMember(signature, "protected"),
        [objectMember(signature, "header")],
        "invalid_signature",
      );
      const x5c = member(all, "x5c");
      const [first] = isArray(x5c) ? x5c : [];
      const der = typeof first === "string" ? decodeBase64url(first) : undefined;
      return der === undefined ? undefined : nameText(parseCertificate(der, "certificate").subject);
    } catch {
      return undefined;
    }
  });
}
