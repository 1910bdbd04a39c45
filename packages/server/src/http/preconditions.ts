import type { FastifyRequest } from "fastify";
import { VconductorError } from "../errors.ts";
import type { WriteCondition } from "../vcons/vcon-store.ts";

/** The ETag of a revision. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

/** What `If-Match` and `If-None-Match` ask of a write. @throws invalid_request when they cannot be understood */
export function writeCondition(request: FastifyRequest): WriteCondition {
  const { "if-match": match, "if-none-match": noneMatch } = request.headers;
  if (match === undefined && noneMatch === undefined) return {};
  if (noneMatch !== undefined && noneMatch.trim() !== "*") {
    throw new VconductorError("invalid_request", "If-None-Match of a write should be *");
  }
  return {
    ...(match === undefined ? {} : { ifMatch: match.trim() === "*" ? "*" : revisionsOf(match) }),
    ifAbsent: noneMatch !== undefined,
  };
}

function revisionsOf(header: string): readonly number[] {
  const revisions = header
    .split(",")
    .map((part) => Number(/^"(\d{1,15})"$/.exec(part.trim())?.[1] ?? Number.NaN));
  if (revisions.some(Number.isNaN)) {
    throw new VconductorError("invalid_request", 'If-Match should be *, or revisions such as "3"');
  }
  return revisions;
}

/** Whether the caller has this revision already (`If-None-Match` of a read). */
export function isKnown(request: FastifyRequest, etag: string): boolean {
  const header = request.headers["if-none-match"];
  if (header === undefined) return false;
  return header.split(",").some((part) => {
    const known = part.trim().replace(/^W\//, "");
    return known === "*" || known === etag;
  });
}
