import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { ByteRange, StoredMedia } from "../../media/media-backend.ts";
import type { App } from "../app.ts";
import { viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { isKnown } from "../preconditions.ts";
import { answers, binaryBody, NoContent } from "../schemas.ts";

/** Recordings and files that were moved out of vCons. */
export function mediaRoutes(app: App, { media }: HttpContext): void {
  app.get(
    "/media/:name",
    {
      schema: {
        scope: ["vcon:read"],
        tags: ["Media"],
        summary: "Read media",
        description:
          "What `move_media` put aside: the `url` in a vCon leads here. Each tenant reads what its own pipelines put there. The name is the SHA-512 of the content, in base64url. One `Range` is honoured.",
        operationId: "get_media",
        params: Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }) }),
        response: answers(
          { 200: binaryBody("The content"), 206: binaryBody("The part asked for"), 304: NoContent },
          404,
          416,
          502,
        ),
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const found = await media.open(name, viewerIn(request));
      if (found === undefined) throw new VconductorError("not_found", `media: ${name} not found`);
      const etag = `"${name}"`;
      if (isKnown(request, etag)) return reply.code(304).headers(headersOf(found, etag)).send();
      const { range, "if-range": held } = request.headers;
      // Of other content, the caller needs the whole (RFC 9110, section 13.1.5).
      const wanted = held === undefined || held === etag ? range : undefined;
      return await sendContent(reply, { found, etag, range: rangeOf(wanted, found.size) });
    },
  );
}

interface Wanted {
  readonly found: StoredMedia;
  readonly etag: string;
  readonly range: ByteRange | "whole" | "none";
}

async function sendContent(reply: FastifyReply, { found, etag, range }: Wanted): Promise<FastifyReply> {
  if (range === "none") {
    reply.header("content-range", `bytes */${found.size}`);
    throw new VconductorError(
      "range_not_satisfiable",
      `the range is outside of the ${found.size} bytes there are`,
    );
  }
  // Before the headers: an answer that says what went wrong is not to be kept for a year.
  const stream = await found.stream(...(range === "whole" ? [] : [range]));
  reply.headers(headersOf(found, etag));
  if (range === "whole") return reply.header("content-length", found.size).send(stream);
  const { start, end } = range;
  return reply
    .code(206)
    .headers({ "content-range": `bytes ${start}-${end}/${found.size}`, "content-length": end - start + 1 })
    .send(stream);
}

/** Types that a browser may show; everything else it has to save. */
const shown = /^(?:audio|video)\/|^image\/(?:png|jpeg|gif|webp)$|^text\/plain\b/;

/** Whatever the content says it is, it must not run in the name of this server. */
function headersOf({ mediatype }: StoredMedia, etag: string) {
  return {
    "content-type": mediatype,
    "content-disposition": shown.test(mediatype) ? "inline" : "attachment",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cache-control": "private, max-age=31536000, immutable",
    "accept-ranges": "bytes",
    etag,
  };
}

/** What is not one range of bytes counts as not asked for (RFC 9110, section 14.2). */
function rangeOf(header: string | undefined, size: number): ByteRange | "whole" | "none" {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return "whole";
  if (first === "") {
    const length = Math.min(size, Number(last));
    return length === 0 ? "none" : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(size - 1, Number(last));
  if (last !== "" && Number(last) < start) return "whole";
  return start >= size ? "none" : { start, end };
}
