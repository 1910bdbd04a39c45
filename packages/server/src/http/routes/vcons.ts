import { toVersion, VconError } from "@vconductor/vcon";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { VconListing } from "../../vcons/vcon-store.ts";
import type { App } from "../app.ts";
import { viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { fromCursor, toCursor } from "../cursor.ts";
import { etagOf, isKnown, writeCondition } from "../preconditions.ts";
import {
  AnyVcon,
  answers,
  documented,
  limitOf,
  NoContent,
  ref,
  VconUuid,
  vconTypes,
  withHeaders,
} from "../schemas.ts";
import { json, jsonText, noContent } from "../send.ts";
import { vconOf } from "../vcon-body.ts";

const tags = ["vCon: Storage CRUD"];
const uuid = Type.Object({ vcon_uuid: VconUuid });
const etag = { ETag: 'The revision, as in "3"' };
const Time = Type.String({ maxLength: 64, description: "RFC 3339 date or date-time" });
const Text = Type.String({ minLength: 1, maxLength: 500, pattern: "^[^\\u0000]*$" });

/** Storing, reading, deleting and listing vCons. */
export function vconRoutes(app: App, { vcons, config }: HttpContext): void {
  app.post(
    "/vcon",
    {
      config: { vconBody: true },
      schema: {
        scope: ["vcon:write"],
        tags,
        summary: "Store a vCon",
        description:
          "Inserts or replaces a vCon in any form and any version up to 0.4.0, exactly as given. `If-Match` and `If-None-Match: *` make it conditional. Answers with the revision as ETag.",
        operationId: "post_vcon",
        consumes: vconTypes,
        body: documented(AnyVcon),
        headers: Type.Object({
          "if-match": Type.Optional(Type.String({ description: "Only over this revision; *: over any" })),
          "if-none-match": Type.Optional(Type.String({ description: "*: only if it is new" })),
        }),
        response: answers(
          {
            204: withHeaders(NoContent, { ETag: 'The revision, as in "3"', Location: "Where to read it" }),
          },
          412,
        ),
      },
    },
    async (request, reply) => {
      const { uuid, form, value, text } = vconOf(request, config);
      const { revision } = await vcons.put(
        { uuid, form, body: text, value },
        { viewer: viewerIn(request), ...writeCondition(request) },
      );
      reply.header("etag", etagOf(revision)).header("location", `/vcon/${encodeURIComponent(uuid)}`);
      return noContent(reply);
    },
  );

  app.get(
    "/vcon/:vcon_uuid",
    {
      schema: {
        scope: ["vcon:read"],
        tags,
        summary: "Read a vCon",
        description:
          "Answers with the vCon as it was stored. `version` converts an unsigned one for clients that know only that version.",
        operationId: "get_vcon",
        params: uuid,
        querystring: Type.Object({
          version: Type.Optional(
            Type.Union([Type.Literal("0.0.2"), Type.Literal("0.3.0"), Type.Literal("0.4.0")]),
          ),
        }),
        headers: Type.Object({
          "if-none-match": Type.Optional(
            Type.String({ description: "An ETag: answer 304 if it still holds" }),
          ),
        }),
        response: answers(
          {
            200: withHeaders(AnyVcon, etag),
            304: withHeaders(Type.Null({ description: "The caller has this revision" }), etag),
          },
          404,
        ),
      },
    },
    async (request, reply) => {
      const { version } = request.query;
      const stored = await vcons.get(request.params.vcon_uuid, { viewer: viewerIn(request) });
      const etag = version === undefined ? etagOf(stored.revision) : `"${stored.revision}-${version}"`;
      reply.header("etag", etag);
      if (isKnown(request, etag)) return reply.code(304).send();
      if (version === undefined) return jsonText(reply, stored.body);
      try {
        return json(reply, toVersion(JSON.parse(stored.body), version).vcon);
      } catch (error) {
        if (!(error instanceof VconError)) throw error;
        throw new VconductorError("unsupported_vcon_version", error.message, { cause: error });
      }
    },
  );

  app.delete(
    "/vcon/:vcon_uuid",
    {
      schema: {
        scope: ["vcon:delete"],
        tags,
        summary: "Delete a vCon",
        description: "Answers 204 whether or not it was there. `If-Match` makes it conditional.",
        operationId: "delete_vcon",
        params: uuid,
        headers: Type.Object({ "if-match": Type.Optional(Type.String()) }),
        response: answers({ 204: NoContent }, 412),
      },
    },
    async (request, reply) => {
      await vcons.delete(request.params.vcon_uuid, {
        viewer: viewerIn(request),
        ...writeCondition(request),
      });
      return noContent(reply);
    },
  );

  app.get(
    "/vcons",
    {
      schema: {
        scope: ["vcon:read"],
        tags,
        summary: "List vCons",
        description: "Newest first, by the time the conversation was created. All filters given must hold.",
        operationId: "list_vcons",
        querystring: Type.Object({
          tel: Type.Optional(Text),
          mailto: Type.Optional(Text),
          name: Type.Optional(Text),
          since: Type.Optional(Time),
          until: Type.Optional(Time),
          subject: Type.Optional(Text),
          text: Type.Optional(Text),
          limit: limitOf(1000, 50),
          cursor: Type.Optional(Type.String({ maxLength: 2000 })),
        }),
        response: answers({
          200: Type.Object({
            vcons: Type.Array(ref("VconListing")),
            next: Type.Union([Type.String(), Type.Null()], { description: "The cursor of the next page" }),
          }),
        }),
      },
    },
    async (request, reply) => {
      const { tel, mailto, name, subject, text, limit, cursor } = request.query;
      const place = fromCursor(cursor, 2);
      const after =
        place === undefined
          ? undefined
          : { createdAt: timeOf(String(place[0]), "cursor"), uuid: String(place[1]) };
      const since = request.query.since === undefined ? undefined : timeOf(request.query.since, "since");
      const until = request.query.until === undefined ? undefined : timeOf(request.query.until, "until");
      const page = await vcons.list({
        viewer: viewerIn(request),
        tel,
        mailto,
        name,
        subject,
        text,
        since,
        until,
        after,
        limit,
      });
      const last = page.length === limit ? page.at(-1) : undefined;
      return json(reply, {
        vcons: page.map(toListing),
        next: last === undefined ? null : toCursor([last.createdAt.toISOString(), last.uuid]),
      });
    },
  );
}

function timeOf(text: string, parameter: string): Date {
  const time = new Date(text);
  const year = time.getUTCFullYear();
  if (/^\d{4}-\d{2}/.test(text) && year >= 0 && year <= 9999) return time;
  const msg = `${parameter} should be a date such as 2026-03-01 or 2026-03-01T12:00:00Z`;
  throw new VconductorError("invalid_request", msg, {
    detail: [{ type: "datetime_parsing", loc: ["query", parameter], msg, input: text }],
  });
}

function toListing(vcon: VconListing) {
  return {
    uuid: vcon.uuid,
    form: vcon.form,
    subject: vcon.subject,
    parties: vcon.parties,
    revision: vcon.revision,
    created_at: vcon.createdAt,
    stored_at: vcon.storedAt,
    updated_at: vcon.updatedAt,
    size: vcon.size,
  };
}
