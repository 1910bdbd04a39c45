import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { applyFilter } from "../filters/define-filter.ts";
import { optionsOf } from "./edit.ts";
import { CommandError } from "./exit-codes.ts";
import { domain, progress, readInput, write, writeDocument } from "./input-output.ts";
import { runJq } from "./jq.ts";

/** `vcon sign|verify|encrypt|decrypt|keys`. */
export function addSealCommands(program: Command): void {
  program
    .command("sign")
    .description("sign the vCon; the output is a JWS")
    .argument("<key>", "file with the private key (PEM): RSA signs with RS256, P-256 with ES256")
    .argument(
      "<cert...>",
      "files with the certificates (PEM): the signer's, then whoever issued the one before",
    )
    .option("--strict", "the header as RFC 7515 wants it; by default the Python reference can verify it too")
    .action(async (key: string, certs: string[], { strict }: { strict?: boolean }, command: Command) => {
      const [pem, chain] = await Promise.all([pemFile(key), pemFiles(certs)]);
      const options = { private_pem_key: pem, cert_chain_pems: chain, layout: strict ? "strict" : "interop" };
      await run(command, "sign", options);
    });
  program
    .command("verify")
    .description("verify signature and certificates; the output is the content")
    .argument("<ca...>", "files with the certificates (PEM) that are trusted")
    .option("--lax", "names, signatures and dates of the certificates only, for those of X.509 version 1")
    .addHelpText("after", "\nExample:\n  vcon -i signed.vcon verify ca.crt > call.vcon")
    .action(async (cas: string[], { lax }: { lax?: boolean }, command: Command) => {
      await run(command, "verify", {
        allowed_ca_cert_pems: await pemFiles(cas),
        chain: lax ? "lax" : "strict",
      });
    });
  program
    .command("encrypt")
    .description("encrypt a signed vCon; the output is a JWE")
    .argument(
      "<cert...>",
      "files with the recipients' certificates or public keys (PEM, RSA): each of them can decrypt it",
    )
    .option("--oaep-256", "RSA-OAEP-256 instead of RSA-OAEP")
    .action(async (certs: string[], { oaep256 }: { oaep256?: boolean }, command: Command) => {
      const algorithm = oaep256 ? "RSA-OAEP-256" : "RSA-OAEP";
      await run(command, "encrypt", { public_pem_key: await pemFiles(certs), algorithm });
    });
  program
    .command("decrypt")
    .description("decrypt the vCon; the output is usually a JWS, still to be verified")
    .argument("<key>", "file with the recipient's private key (PEM)")
    .argument("[cert]", "not needed; taken because the reference asks for it")
    .action(async (key: string, _cert, _own, command: Command) => {
      await run(command, "decrypt", { private_pem_key: await pemFile(key) });
    });
  addKeysCommand(program);
}

/** The filters are loaded when they are needed: cryptography takes its time. */
async function run(
  command: Command,
  name: "sign" | "verify" | "encrypt" | "decrypt",
  options: object,
): Promise<void> {
  const globals = optionsOf(command);
  const document = await readInput(globals);
  const filters = await import("../filters/seal.ts");
  const filter = filters[`${name}Filter`];
  progress.say(filter.title);
  await writeDocument(
    await applyFilter(filter, document, { options, context: { domain, jq: runJq } }),
    globals,
  );
}

async function pemFile(path: string): Promise<string> {
  const text = await readFile(path, "utf8");
  if (text.includes("-----BEGIN ")) return text;
  throw new CommandError(
    `${path}: it is no PEM file, which would have a line such as -----BEGIN CERTIFICATE-----.`,
    2,
  );
}

function pemFiles(paths: readonly string[]): Promise<readonly string[]> {
  return Promise.all(paths.map(pemFile));
}

interface KeysFlags {
  readonly name: string;
  readonly type: string;
  readonly days: string;
}

function addKeysCommand(program: Command): void {
  program
    .command("keys")
    .description(
      "make keys and certificates to try signing and encryption with: a CA, one below it, and a signer",
    )
    .argument("<folder>", "where to put them; files that are there are not overwritten")
    .option("--name <name>", "of the signer", "vCon test signer")
    .option("--type <type>", "RSA, or EC (P-256), which can sign but not decrypt", "RSA")
    .option("--days <days>", "how long the certificates are valid", "825")
    .action(async (folder: string, { name, type, days }: KeysFlags, command: Command) => {
      if (type !== "RSA" && type !== "EC")
        throw new CommandError(`--type: ${type} is neither RSA nor EC.`, 2);
      if (!/^[1-9]\d{0,4}$/.test(days)) throw new CommandError(`--days: ${days} is no number of days.`, 2);
      const { makeTestCertificates } = await import("../security/test-certificates.ts");
      progress.say("Making keys");
      const made = await makeTestCertificates({ name, keyType: type, days: Number(days) });
      await mkdir(folder, { recursive: true });
      for (const [file, { certificate, key }] of Object.entries({
        ca: made.ca,
        intermediate: made.intermediate,
        signer: made.leaf,
      })) {
        await writeFile(join(folder, `${file}.key`), key, { flag: "wx", mode: 0o600 });
        await writeFile(join(folder, `${file}.crt`), certificate, { flag: "wx" });
      }
      await write(keysText(folder, type), optionsOf(command));
    });
}

function keysText(folder: string, type: "RSA" | "EC"): string {
  const at = (name: string) => join(folder, name);
  const lines = [
    `vcon -i call.vcon sign ${at("signer.key")} ${at("signer.crt")} ${at("intermediate.crt")} > signed.vcon`,
    `vcon -i signed.vcon verify ${at("ca.crt")}`,
  ];
  const sealed = [
    `vcon -i signed.vcon encrypt ${at("signer.crt")} > encrypted.vcon`,
    `vcon -i encrypted.vcon decrypt ${at("signer.key")} | vcon verify ${at("ca.crt")}`,
  ];
  const all = type === "RSA" ? [...lines, ...sealed] : lines;
  return `There are ca, intermediate and signer, each with a .crt and a .key, in ${folder}. Try:\n${all.map((line) => `  ${line}\n`).join("")}`;
}
