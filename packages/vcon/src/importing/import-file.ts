import { readable } from "../document/parties.ts";
import { importChat } from "./chat-export.ts";
import { importEmail } from "./email.ts";
import type { Imported } from "./imported.ts";
import { importMbox } from "./mbox.ts";
import { importMeet, isMeetName, isMp4 } from "./meet.ts";
import type { NamedFile } from "./recording-file.ts";
import { importSiprec, isSiprec } from "./siprec.ts";
import { importSubtitles } from "./subtitles.ts";
import { invalidImport, jsonIn, textOf } from "./text-file.ts";
import { importWtf, isWtf } from "./wtf.ts";
import { importZoom } from "./zoom.ts";
import { looksLikeZoomChat } from "./zoom-chat.ts";

export interface ImportFile extends NamedFile {
  /** Milliseconds since 1970. */
  readonly modifiedAt?: number;
  /** Of times without one. Default: UTC */
  readonly timezone?: string;
}

const LONGEST_NAME = 100;
const SRT = /^\s*\d+\s*\r?\n\s*\d{1,2}:\d\d:\d\d[,.]\d{1,3} +-->/;
const HEADER =
  /^(?:from|to|cc|sender|date|subject|message-id|received|return-path|delivered-to|mime-version):/im;

/**
 * Reads a file of any kind that there is an importer for, by what is in it and by its name.
 *
 * @throws VconError invalid_import it is of no kind that is known, or damaged
 */
export async function importFile({ name, bytes, modifiedAt, timezone }: ImportFile): Promise<Imported> {
  const shown = readable(name).slice(0, LONGEST_NAME);
  const zoned = timezone === undefined ? {} : { timezone };
  const dated = modifiedAt === undefined ? {} : { modifiedAt };
  if (isMp4(bytes)) {
    if (isMeetName(name)) return importMeet({ recording: { name, bytes }, ...dated });
    throw invalidImport(`${shown} is a recording, not an export: add it as one, with its start and parties.`);
  }
  const text = textOf(bytes);
  if (/^WEBVTT/.test(text) || SRT.test(text)) return importSubtitles(text);
  if (isSiprec(text)) return importSiprec(text);
  if (/^From /.test(text)) return importMbox(bytes);
  if (looksLikeZoomChat(text)) return importZoom([{ name: "chat.txt", bytes }], zoned);
  if (/^\s*[[{]/.test(text)) {
    if (isWtf(jsonIn(text))) return importWtf(text);
  } else if (/\.eml$/i.test(name) || isMessage(text)) {
    return importEmail(bytes, modifiedAt === undefined ? {} : { receivedAt: modifiedAt });
  }
  try {
    return importChat(text, zoned);
  } catch (cause) {
    const known =
      "an e-mail (.eml), mailbox (mbox), chat (WhatsApp, Slack, Zoom, CSV, JSON), WebVTT, SubRip, SIPREC metadata, WTF";
    throw invalidImport(`It cannot be told what ${shown} is. Known are ${known}.`, cause);
  }
}

/** Headers, one per line, before the first empty line, at least two of them those of a message. */
function isMessage(text: string): boolean {
  const [head = ""] = text.slice(0, 20_000).split(/\r?\n\r?\n/, 1);
  const lines = head.split(/\r?\n/);
  const right = lines.every((line) => /^(?:[!-9;-~]+:|[ \t])/.test(line));
  return right && lines.filter((line) => HEADER.test(line)).length >= 2;
}
