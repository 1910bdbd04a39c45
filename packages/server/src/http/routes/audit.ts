import { Readable } from "node:stream";
import { Type } from "typebox";
import type { AuditFilter, AuditTrail } from "../../access/audit/audit-trail.ts";
import { VconductorError } from "../../errors.ts";
import type { App } from "../app.ts";
import type { HttpContext } from "../context.ts";
import { fromCursor, numberIn, toCursor } from "../cursor.ts";
import { answers, limitOf, ref } from "../schemas.ts";
import { json } from "../send.ts";

const Text = Type.Optional(Type.String({ minLength: 1, maxLength: 500, pattern: "^[^\\u0000]*$" }));
const Time = Type.Optional(Type.String({ maxLength: 64, description: "RFC 3339 date or date-time" }));

/** Who did what. */
export function auditRoutes(app: App, { audit }: HttpContext): void {
  app.get(
    "/audit",
    {
      schema: {
        scope: ["admin"],
        tags: ["Admin: Access"],
        summary: "Read the audit trail",
        description:
          "Newest first. All filters given must hold. `format=jsonl` answers with all that match, oldest first, as JSON lines.",
        operationId: "get_audit",
        querystring: Type.Object({
          vcon: Text,
          principal: Text,
          tenant: Text,
          action: Text,
          since: Time,
          until: Time,
          format: Type.Optional(Type.Enum(["json", "jsonl"])),
          limit: limitOf(1000, 100),
          cursor: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: answers({
          200: Type.Object({
            records: Type.Array(ref("AuditRecord")),
            next: Type.Union([Type.String(), Type.Null()]),
          }),
        }),
      },
    },
    async (request, reply) => {
      const { limit, cursor, format, since, until, ...rest } = request.query;
      const filter = { ...rest, since: timeOf(since, "since"), until: timeOf(until, "until") };
      if (format === "jsonl") {
        return reply.type("application/jsonl").send(Readable.from(lines(audit, filter)));
      }
      const records = await audit.list({ ...filter, limit, before: numberIn(fromCursor(cursor, 1), 0) });
      const last = records.length === limit ? records.at(-1) : undefined;
      return json(reply, { records, next: last === undefined ? null : toCursor([last.id]) });
    },
  );
}

async function* lines(audit: AuditTrail, filter: AuditFilter): AsyncGenerator<string> {
  for await (const record of audit.export(filter)) yield `${JSON.stringify(record)}\n`;
}

function timeOf(text: string | undefined, parameter: string): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (/^\d{4}-\d{2}/.test(text) && !Number.isNaN(time.getTime())) return time;
  const msg = `${parameter} should be a date such as 2026-03-01 or 2026-03-01T12:00:00Z`;
  throw new VconductorError("invalid_request", msg, {
    detail: [{ type: "datetime_parsing", loc: ["query", parameter], msg, input: text }],
  });
}
