import { type EmailOptions, importEmails } from "./email.ts";
import type { Imported } from "./imported.ts";
import { invalidImport } from "./text-file.ts";

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x3e;
const FROM = [0x46, 0x72, 0x6f, 0x6d, 0x20] as const;
const POSTMARK_LENGTH = 300;

/**
 * Reads a mailbox file (mbox): its messages, in order of time, each Message-ID once.
 *
 * @throws VconError invalid_import it does not begin with "From ", or a message in it is no e-mail
 */
export async function importMbox(bytes: Uint8Array, options: EmailOptions = {}): Promise<Imported> {
  const messages = splitMbox(bytes);
  if (messages.length === 0)
    throw invalidImport('This is no mailbox: its first line does not begin with "From ".');
  return importEmails(messages, options);
}

/**
 * The messages of a mailbox file. A message begins with a line such as "From ann@example.com Wed Mar  4 10:15:00 2026"
 * after an empty line, when a header follows; that line is left out, and ">From " in a message is unquoted.
 */
function splitMbox(bytes: Uint8Array): readonly Uint8Array[] {
  const starts: { readonly postmark: number; readonly message: number }[] = [];
  let afterEmpty = true;
  for (let line = 0; line < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, line);
    const next = newline < 0 ? bytes.length : newline + 1;
    const first = starts.length === 0;
    if (first && line === 0 && !isFrom(bytes, 0)) return [];
    if (afterEmpty && isFrom(bytes, line) && (first || isPostmark(bytes, { line, next }))) {
      starts.push({ postmark: line, message: next });
    }
    const length = next - line;
    afterEmpty = length === 1 || (length === 2 && bytes[line] === RETURN);
    line = next;
  }
  return starts.map(({ message }, index) =>
    unquoted(bytes.subarray(message, starts[index + 1]?.postmark ?? bytes.length)),
  );
}

function isFrom(bytes: Uint8Array, at: number): boolean {
  return FROM.every((byte, index) => bytes[at + index] === byte);
}

/** Prose may begin with "From " too; a postmark has a time of day and a year, and a header comes next. */
function isPostmark(bytes: Uint8Array, { line, next }: { readonly line: number; readonly next: number }) {
  const text = latin(bytes.subarray(line, Math.min(next, line + POSTMARK_LENGTH)));
  const header = latin(bytes.subarray(next, next + 100));
  return /\d:\d\d/.test(text) && /\b\d{4}\b/.test(text) && /^(?:>From |[!-9;-~]+[ \t]*:)/.test(header);
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function unquoted(message: Uint8Array): Uint8Array {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let from = 0;
  for (let line = 0; line < message.length; ) {
    let at = line;
    while (message[at] === QUOTE) at += 1;
    if (at > line && isFrom(message, at)) {
      pieces.push(new Uint8Array(message.subarray(from, line)));
      from = line + 1;
    }
    const newline = message.indexOf(NEWLINE, at);
    line = newline < 0 ? message.length : newline + 1;
  }
  if (pieces.length === 0) return message;
  pieces.push(new Uint8Array(message.subarray(from)));
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
