import { type Command, InvalidArgumentError } from "commander";
import type { AuditFilter, AuditTrail, ChainHead } from "./access/audit/audit-trail.ts";

/** `vconductor audit …`: the audit trail, for whoever has the database. */
export function addAuditCommands(program: Command): void {
  const audit = program.command("audit").description("verify and export the audit trail");

  audit
    .command("verify")
    .description("check that nothing in the trail was changed or taken out")
    .option("--expect <position:hash>", "an end of the chain that was noted earlier", heads)
    .action(({ expect }: { readonly expect?: readonly ChainHead[] }) =>
      withAudit(async (trail) => {
        const { head, mistake, late } = await trail.verify(expect);
        if (head === undefined) process.stdout.write("The trail is empty.\n");
        else if (mistake === undefined) {
          process.stdout.write(
            `All ${head.position} records are as they were. Note this end of the chain:\n`,
          );
          process.stdout.write(`${head.position}:${head.hash}\n`);
        }
        if (late > 0) {
          process.stderr.write(
            `${late} records of more than a minute ago are not chained yet: does a server with access control run?\n`,
          );
        }
        if (mistake !== undefined) {
          process.stderr.write(`The trail was tampered with, or damaged: ${mistake}.\n`);
          process.exitCode = 1;
        }
      }),
    );

  audit
    .command("export")
    .description("write the records as JSON lines to standard output, oldest first")
    .option("--vcon <uuid>", "only those about this vCon")
    .option("--principal <id>", "only those of this principal")
    .option("--since <time>", "RFC 3339", time)
    .option("--until <time>", "RFC 3339", time)
    .action((filter: AuditFilter) =>
      withAudit(async (trail) => {
        for await (const record of trail.export(filter)) {
          if (!process.stdout.write(`${JSON.stringify(record)}\n`)) {
            await new Promise((resolve) => process.stdout.once("drain", resolve));
          }
        }
      }),
    );
}

async function withAudit(act: (audit: AuditTrail) => Promise<void>): Promise<void> {
  const { withDatabase } = await import("./with-database.ts");
  const { postgresAudit } = await import("./access/audit/postgres-audit.ts");
  await withDatabase("vcons", (database) => act(postgresAudit(database)));
}

function heads(text: string, before: readonly ChainHead[] = []): readonly ChainHead[] {
  const [, position, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (position === undefined || hash === undefined) {
    throw new InvalidArgumentError("It must look like 1234:ab12…, as an earlier verify printed it.");
  }
  return [...before, { position: Number(position), hash }];
}

function time(text: string): Date {
  const date = new Date(text);
  if (/^\d{4}-\d{2}/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new InvalidArgumentError("It must be a date such as 2026-03-01 or 2026-03-01T12:00:00Z.");
}
