import { hashesOf } from "../document/content.ts";
import { member, stringMember } from "../document/json.ts";
import type { JsonObject } from "../document/types.ts";
import { sizeText } from "./show-figures.ts";
import { visible } from "./show-visible.ts";

/** What is told of a dialog's, analysis' or attachment's content: media type, size or host, hash, file name. */
export function contentFacts(entry: JsonObject): readonly string[] {
  const size = inlineSize(entry);
  const url = stringMember(entry, "url");
  // Parameters such as a boundary are for programs.
  const facts = [shownMember(entry, "mediatype").replace(/\s*;.*$/, "")];
  if (size !== undefined) facts.push(sizeText(size));
  if (url !== undefined && url !== "") facts.push(`at ${hostOf(url)}`);
  facts.push(hashFact(entry), shownMember(entry, "filename"));
  return facts.filter((fact) => fact !== "");
}

/** A string member as one line; empty when there is none. */
export function shownMember(entry: JsonObject, name: string): string {
  return visible(stringMember(entry, name) ?? "");
}

/** Bytes of an inline body, told from its length: a recording is not decoded for that. */
function inlineSize(entry: JsonObject): number | undefined {
  const body = member(entry, "body") ?? "";
  if (body === "") return undefined;
  if (typeof body !== "string") return Buffer.byteLength(JSON.stringify(body));
  const encoding = stringMember(entry, "encoding");
  const binary =
    encoding === "base64url" ||
    (encoding === undefined && /^(?:audio|video|image)\//i.test(stringMember(entry, "mediatype") ?? ""));
  const padding = body.endsWith("==") ? 2 : body.endsWith("=") ? 1 : 0;
  return binary ? Math.floor(((body.length - padding) * 3) / 4) : Buffer.byteLength(body);
}

/** Where a url leads, for people. */
export function hostOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return `${visible(url.slice(0, 60))} (not a URL)`;
  return visible(parsed.host || parsed.protocol);
}

/** The algorithms only: a digest tells people nothing. */
function hashFact(entry: JsonObject): string {
  const algorithms = hashesOf(entry).map((token) => token.split("-")[0] ?? "");
  return visible([...new Set(algorithms)].join(", "));
}
