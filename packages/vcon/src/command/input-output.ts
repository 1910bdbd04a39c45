import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { VconBuilder } from "../building/builder.ts";
import { parse } from "../document/parse.ts";
import { contentText, toText, type VconDocument } from "../document/states.ts";
import { CommandError } from "./exit-codes.ts";
import { getVcon, type HttpOptions, postVcon, vconUrl } from "./http.ts";
import { Progress } from "./progress.ts";

/** The options before or after any command: where the vCon comes from, and where it goes. */
export interface GlobalOptions extends HttpOptions {
  readonly infile?: string;
  readonly get?: { readonly host: string; readonly port: string; readonly uuid: string };
  readonly newvcon?: boolean;
  readonly outfile?: string;
  readonly post?: { readonly host: string; readonly port: string };
}

export const progress = new Progress();

/** In the uuids of new vCons: this machine, as the Python command has it. */
export const domain = `${hostname()}.vcon.dev`;

/** The vCon that a command works on. Nothing on stdin means a new one. */
export async function readInput(options: GlobalOptions): Promise<VconDocument> {
  const given = [options.infile, options.get, options.newvcon].filter((each) => each !== undefined);
  if (given.length > 1) throw new CommandError("Give one of -i, -g and -n only.", 2);
  const bytes = await readBytes(options);
  return bytes === undefined || bytes.length === 0 ? newVcon() : readDocument(bytes);
}

/** A vCon without a uuid gets one. */
export function readDocument(bytes: Uint8Array): Promise<VconDocument> {
  progress.say(`Reading ${megabytes(bytes.length)}`);
  return parse(bytes, { domain });
}

async function newVcon(): Promise<VconDocument> {
  const builder = await VconBuilder.create({ domain });
  return builder.build();
}

/** The bytes of the input as they are; undefined for `-n`. */
export async function readBytes(options: GlobalOptions): Promise<Uint8Array | undefined> {
  if (options.newvcon) return undefined;
  if (options.infile !== undefined) return readFile(options.infile);
  if (options.get !== undefined) {
    const { host, port, uuid } = options.get;
    progress.say(`Fetching ${uuid}`);
    return getVcon(vconUrl(hostUrl(host, port), uuid), options);
  }
  if (process.stdin.isTTY) {
    throw new CommandError(
      "There is no vCon to read. Give a file (-i FILE), pipe one in, or begin a new one (-n).",
      2,
    );
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > 1_000_000) progress.say(`Reading ${megabytes(size)}`);
  }
  return Buffer.concat(chunks);
}

function megabytes(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${Math.round(bytes / 1_000_000)} MB`;
}

function hostUrl(host: string, port: string): string {
  if (/^https?:\/\//.test(host)) return `${host}:${port}`;
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

/** Writes a vCon to where it should go, and posts it after that. */
export async function writeDocument(document: VconDocument, options: GlobalOptions): Promise<void> {
  progress.say("Writing");
  // What was verified is handed on as what it says; what is signed or encrypted, as it travels.
  const text = document.state === "verified" ? contentText(document) : toText(document);
  await write(text, options);
  if (options.post === undefined) return;
  const { host, port } = options.post;
  await postVcon(vconUrl(hostUrl(host, port)), text, options);
}

/** Writes text or bytes to `-o`, or to stdout: there with an end of line only for somebody at a terminal. */
export async function write(
  content: string | Uint8Array,
  { outfile }: Pick<GlobalOptions, "outfile">,
): Promise<void> {
  if (outfile !== undefined) {
    await writeFile(outfile, content);
    return;
  }
  progress.done();
  const atTerminal = process.stdout.isTTY && typeof content === "string" && !content.endsWith("\n");
  await toStdout(atTerminal ? `${content}\n` : content);
}

function toStdout(content: string | Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Whoever reads the pipe may have had enough: that is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) =>
    error.code === "EPIPE" ? resolve() : reject(error),
  );
  process.stdout.write(content, () => resolve());
  return promise;
}
