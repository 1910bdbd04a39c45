import { type Command, InvalidArgumentError } from "commander";
import { isTenant } from "./access/principal.ts";
import type { Token, TokenStore } from "./access/tokens/token-store.ts";
import type { Config } from "./config.ts";

const dayMs = 86_400_000;

interface Wanted {
  readonly name: string;
  readonly role?: readonly string[];
  readonly scope?: readonly string[];
  readonly group?: readonly string[];
  readonly queue?: readonly string[];
  readonly tenant: string;
  readonly days?: number;
  readonly ingest?: string;
  readonly perMinute?: number;
  readonly hmacSecret?: string;
}

/** `vconductor token …`: API tokens, for whoever has the database. */
export function addTokenCommands(program: Command): void {
  const token = program.command("token").description("create, list and revoke API tokens");

  token
    .command("create")
    .description("create a token; its text goes to standard output, once")
    .requiredOption("--name <name>", "what it is for")
    .option("--role <role>", "a role: reader, writer, editor, developer, worker, monitor, admin …", also)
    .option("--scope <scope>", "a scope, such as vcon:read", also)
    .option("--group <group>", "a group, for the access lists of vCons", also)
    .option("--queue <queue>", "a queue that it may work on (default: all)", also)
    .option("--ingest <queue>", "make an ingest key: it can only add vCons to this queue")
    .option("--per-minute <count>", "of an ingest key: how many vCons a minute", count)
    .option(
      "--hmac-secret <name>",
      "of an ingest key: the environment variable with the secret of X-Hub-Signature-256",
    )
    .option("--tenant <tenant>", "whose vCons it sees", tenantName, "default")
    .option("--days <days>", "how long it is good (default: until it is revoked)", days)
    .action((wanted: Wanted) =>
      withTokens(async (tokens, config) => {
        const { scopesFor } = await import("./access/tokens/grant.ts");
        const { token: made, text } = await tokens.create({
          name: wanted.name,
          tenant: wanted.tenant,
          groups: wanted.group,
          ...(wanted.ingest === undefined
            ? {
                queues: wanted.queue,
                scopes: scopesFor({ scopes: wanted.scope ?? [], roles: wanted.role ?? [] }, config.roles),
              }
            : {
                queues: [wanted.ingest],
                scopes: ["vcon:ingest"] as const,
                ingest: { perMinute: wanted.perMinute ?? 0, hmacSecret: wanted.hmacSecret },
              }),
          expiresAt: wanted.days === undefined ? undefined : new Date(Date.now() + wanted.days * dayMs),
          createdBy: "command line",
        });
        process.stdout.write(`${text}\n`);
        process.stderr.write(
          `This is the token ${made.id} (${made.name}): ${made.scopes.join(", ")}. Keep it: it is not shown again.\n`,
        );
        if (config.access === "off") {
          process.stderr.write("The server asks nobody for a token unless it runs with ACCESS=on.\n");
        }
      }),
    );

  token
    .command("list")
    .description("list tokens, newest first")
    .option("--json", "for programs")
    .action(({ json }: { readonly json?: boolean }) =>
      withTokens(async (tokens) => {
        const all = await everyToken(tokens);
        if (json === true) return void process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
        const { columns } = await import("./text-layout.ts");
        const heads = ["id", "name", "tenant", "scopes", "state", "last used"];
        const lines = all.length === 0 ? ["There are no tokens."] : columns(heads, all.map(toCells));
        process.stdout.write(`${lines.join("\n")}\n`);
      }),
    );

  token
    .command("revoke")
    .argument("<id>", "as token list shows it")
    .description("revoke a token; it is refused from now on")
    .action((id: string) =>
      withTokens(async (tokens) => {
        await tokens.revoke(id);
        process.stderr.write(`The token ${id} is revoked.\n`);
      }),
    );
}

async function withTokens(act: (tokens: TokenStore, config: Config) => Promise<void>): Promise<void> {
  const { withDatabase } = await import("./with-database.ts");
  const { postgresTokenStore } = await import("./access/tokens/postgres-token-store.ts");
  await withDatabase("state", (database, config) => act(postgresTokenStore(database), config));
}

async function everyToken(tokens: TokenStore): Promise<readonly Token[]> {
  const all: Token[] = [];
  const limit = 1000;
  for (;;) {
    const page = await tokens.list({ limit, after: all.at(-1) });
    all.push(...page);
    if (page.length < limit) return all;
  }
}

function toCells(token: Token): readonly string[] {
  const queues = token.queues === undefined ? "" : ` (queues ${token.queues.join(", ")})`;
  return [
    token.id,
    token.name,
    token.tenant,
    `${token.scopes.join(", ")}${queues}`,
    stateOf(token),
    token.lastUsedAt?.toISOString().slice(0, 16) ?? "never",
  ];
}

function stateOf({ revokedAt, expiresAt }: Token): string {
  if (revokedAt !== undefined) return `revoked ${revokedAt.toISOString().slice(0, 10)}`;
  if (expiresAt === undefined) return "good";
  return `${expiresAt <= new Date() ? "expired" : "good until"} ${expiresAt.toISOString().slice(0, 10)}`;
}

function also(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function tenantName(value: string): string {
  if (isTenant(value)) return value;
  throw new InvalidArgumentError("It must be 1 to 100 letters, digits and the characters _ . : @ / -");
}

function count(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0 && number <= 1_000_000) return number;
  throw new InvalidArgumentError("It must be a whole number, from 1 to 1000000.");
}

function days(value: string): number {
  const number = Number(value);
  if (number > 0 && number <= 36_500) return number;
  throw new InvalidArgumentError("It must be a number of days, more than 0 and at most 36500.");
}
