import { decodeBase64url, decodeUtf8 } from "../document/base64url.ts";
import { stringMember } from "../document/json.ts";
import type { JsonObject } from "../document/types.ts";
import { htmlToText } from "./html-text.ts";

const MAX_NESTING = 8;

/** The readable text of a text dialog: plain text, HTML, or the first of these in a multipart message. */
export function messageText(dialog: JsonObject): string | undefined {
  const body = stringMember(dialog, "body");
  if (body === undefined) return undefined;
  const text = stringMember(dialog, "encoding") === "base64url" ? decoded(body) : body;
  return text === undefined
    ? undefined
    : partText(stringMember(dialog, "mediatype") ?? "text/plain", text, 0);
}

function decoded(body: string): string | undefined {
  const bytes = decodeBase64url(body);
  return bytes && decodeUtf8(bytes);
}

function partText(mediatype: string, body: string, nesting: number): string | undefined {
  const type = mediatype.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "text/html") return htmlToText(body);
  if (type.startsWith("text/")) return body.trim();
  if (!type.startsWith("multipart/") || nesting > MAX_NESTING) return undefined;
  const parts = splitParts(mediatype, body);
  for (const wanted of [/^text\/plain/i, /^multipart\//i, /^text\/html/i]) {
    for (const part of parts) {
      if (!wanted.test(part.mediatype)) continue;
      const text = partText(part.mediatype, part.body, nesting + 1);
      if (text) return text;
    }
  }
  return undefined;
}

interface Part {
  readonly mediatype: string;
  readonly body: string;
}

function splitParts(mediatype: string, body: string): readonly Part[] {
  const boundary = /boundary\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(mediatype);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (!mark) return [];
  return `\n${body}`
    .replaceAll("\r\n", "\n")
    .split(`\n--${mark}`)
    .slice(1)
    .filter((part) => !part.startsWith("--"))
    .map(readPart);
}

function readPart(raw: string): Part {
  const text = raw.slice(raw.indexOf("\n") + 1);
  // A part without headers begins with an empty line.
  const bare = text.startsWith("\n");
  const end = bare ? 0 : text.indexOf("\n\n");
  const headers = end < 0 ? text : text.slice(0, end).replace(/\n[ \t]+/g, " ");
  const body = end < 0 ? "" : text.slice(end + (bare ? 1 : 2));
  const transfer = header(headers, "content-transfer-encoding")?.toLowerCase();
  return { mediatype: header(headers, "content-type") ?? "text/plain", body: decodeTransfer(body, transfer) };
}

function header(headers: string, name: string): string | undefined {
  const line = headers.split("\n").find((entry) => entry.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

function decodeTransfer(body: string, transfer: string | undefined): string {
  if (transfer === "base64") return decoded(body.replace(/\s/g, "")) ?? "";
  if (transfer !== "quoted-printable") return body;
  return body
    .replace(/=[ \t]*\n/g, "")
    .replace(/(?:=[0-9A-Fa-f]{2})+/g, (run) =>
      decodeUtf8(Uint8Array.from(run.slice(1).split("="), (hex) => Number.parseInt(hex, 16))),
    );
}
