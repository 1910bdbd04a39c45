/**
 * Writes the documents that are made from the source: docs/configuration.md, docs/errors.md, docs/scopes.md and
 * docs/processors.md.
 * With `--check` it writes nothing, names those that are out of date, and exits with 1 if there are any.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtInRoles } from "../packages/server/src/access/roles.ts";
import { scopeMeanings, scopes } from "../packages/server/src/access/scopes.ts";
import { documentedSettings } from "../packages/server/src/config.ts";
import { type ErrorCode, errorCodes } from "../packages/server/src/errors.ts";
import { builtin } from "../packages/server/src/processors/builtin/index.ts";
import { processorDocs } from "./processor-docs.ts";

const root = join(import.meta.dirname, "..");

interface ErrorText {
  readonly meaning: string;
  readonly remedy: string;
}

const errorTexts: Readonly<Record<ErrorCode, ErrorText>> = {
  bad_request: {
    meaning: "The request cannot be read as HTTP or JSON.",
    remedy: "Correct the request; `detail` says where.",
  },
  unauthorized: {
    meaning: "The caller has not said who it is, or its credential is not good: unknown, expired or revoked.",
    remedy:
      "Send `Authorization: Bearer …` with an API token or a JWT that is good. docs/access.md says how to get one.",
  },
  forbidden: {
    meaning: "The caller is known, and may not do this.",
    remedy: "`detail` names the scope that is missing, or the access that is. An administrator can give it.",
  },
  not_found: { meaning: "There is no such route.", remedy: "Look the path up in `/openapi.json`." },
  vcon_not_found: {
    meaning: "No vCon with this uuid is stored.",
    remedy: "Check the uuid. `GET /vcons` lists what is stored.",
  },
  queue_not_found: {
    meaning: "There is no queue with this name, or this server does not tend it.",
    remedy: "Create it with `POST /queue/{name}`, or tend it with `POST /server/queue/{name}`.",
  },
  pipeline_not_found: {
    meaning: "There is no pipeline with this name.",
    remedy: "Define it with `PUT /pipeline/{name}`.",
  },
  run_not_found: {
    meaning: "There is no such run, or it is not one that this request can act on.",
    remedy: "Check the id with `GET /runs`. Old runs are deleted after RUN_RETENTION_DAYS.",
  },
  job_not_found: {
    meaning: "No such job waits, or is in progress, there.",
    remedy: "It may have run already: see `GET /runs`.",
  },
  server_not_found: { meaning: "No server with this key is registered.", remedy: "See `GET /servers`." },
  method_not_allowed: {
    meaning: "The path exists, but not for this method.",
    remedy: "Look the path up in `/openapi.json`.",
  },
  conflict: {
    meaning: "Something changed while the request was under way; nothing was saved.",
    remedy: "Read the current state and send the request again.",
  },
  run_not_active: {
    meaning: "The run has ended, or its lease has passed to another run.",
    remedy: "Stop working on it: its result is no longer wanted.",
  },
  revision_mismatch: {
    meaning: "The condition of `If-Match` or `If-None-Match` does not hold.",
    remedy: "Read the vCon anew, apply the change to that revision, and use its ETag.",
  },
  too_large: {
    meaning: "The body is larger than MAX_BODY_BYTES.",
    remedy: "Refer to recordings by URL instead of putting them inline, or raise the limit.",
  },
  range_not_satisfiable: {
    meaning: "The `Range` begins beyond the end of the content.",
    remedy: "Ask for less; `Content-Range` says how many bytes there are.",
  },
  invalid_request: {
    meaning: "The path, the query or the body does not have the documented shape.",
    remedy: "Correct what `detail` lists.",
  },
  invalid_vcon: { meaning: "The document is not a vCon.", remedy: "Correct what `detail` names." },
  unsupported_vcon_version: {
    meaning: "The vCon is of a version that this server does not know.",
    remedy: "Send one of the versions 0.0.1 to 0.4.0.",
  },
  invalid_vcon_state: {
    meaning: "The vCon's form does not allow this: it is signed or encrypted, or is not.",
    remedy: "Verify, decrypt or sign it first, as `detail` says.",
  },
  invalid_signature: {
    meaning: "A signature, or the chain of its certificates, does not verify.",
    remedy: "Check who signed, and the certificates that `allowed_ca_cert_pems` trusts.",
  },
  invalid_key: {
    meaning: "A key or certificate cannot be used, or does not fit the document.",
    remedy: "Give PEM text of a key of the kind that `detail` names.",
  },
  invalid_job: {
    meaning: "The job's type is unknown, or its list of vCons is empty or not valid.",
    remedy: 'Send `{"job_type": "vcon_uuid", "vcon_uuid": ["…"]}`.',
  },
  invalid_options: {
    meaning: "The options of a processor or pipeline do not fit their schema.",
    remedy: "Correct what `detail` lists. The schema is in `/openapi.json`.",
  },
  invalid_query: {
    meaning: "The jq program or JSONPath is not valid, failed, or took too long.",
    remedy: "Correct the program. The limit of time is JQ_TIMEOUT_SECONDS.",
  },
  parameter_not_found: {
    meaning: "A template in `format_options` names a parameter that does not exist.",
    remedy: "Set it in an earlier step (`jq`, `set_parameters`), or correct the name.",
  },
  processor_not_registered: {
    meaning: "No processor with this name is loaded.",
    remedy: "Check the name. For a plugin, `vconductor plugins` says why it was not loaded.",
  },
  queue_exists: { meaning: "A queue with this name exists already.", remedy: "Use it." },
  idempotency_key_reused: {
    meaning: "The `Idempotency-Key` was used before for another request.",
    remedy: "Use a new key for each new request, and the same key only to repeat one.",
  },
  rate_limited: {
    meaning: "More requests, or more refused credentials, than the limits allow.",
    remedy: "Send the request again after the seconds in `Retry-After`.",
  },
  pipeline_timeout: {
    meaning: "A processor took longer than the pipeline's `timeout`.",
    remedy: "Raise `timeout`, or find out why the processor is slow.",
  },
  run_cancelled: {
    meaning: "The run was cancelled while it was under way.",
    remedy: "Queue the job again if it is still wanted.",
  },
  internal: {
    meaning: "A defect of the server. The answer says nothing about the inside.",
    remedy: "Find the request id in the server's log, and report it.",
  },
  processor_failed: {
    meaning: "A processor threw an error.",
    remedy: "`detail` names the processor and the reason; the log has the rest.",
  },
  fetch_refused: {
    meaning:
      "A processor wanted to reach an address that is private, or not http or https; or the answer was too large.",
    remedy: "If the host may be reached, add it to FETCH_ALLOW.",
  },
  provider_failed: {
    meaning: "A service that a processor called did not answer, or answered with an error.",
    remedy: "Try again later. For queued jobs, `retry_limit` does so.",
  },
  budget_exceeded: {
    meaning: "The pipeline's budget for paid calls is spent; nothing more was called.",
    remedy:
      "Raise `run_budget`, `run_token_limit` or `queue_budget` of the pipeline, or wait until the period is over.",
  },
  issuer_unavailable: {
    meaning: "The keys of whoever signs JWTs cannot be fetched, so no JWT of that issuer can be checked.",
    remedy:
      "Send the request again after `Retry-After`. Operators: see that JWT_JWKS_URL or OIDC_ISSUER answers.",
  },
  database_unavailable: {
    meaning: "The database is away, for example restarting.",
    remedy: "Send the request again after the seconds in `Retry-After`. The server reconnects by itself.",
  },
  stopping: {
    meaning: "The server is shutting down.",
    remedy: "Send the request to another server, or again after `Retry-After`.",
  },
};

function configuration(): string {
  const groups = Map.groupBy(documentedSettings, (entry) => entry.group);
  const sections = [...groups].map(([group, entries]) => {
    const parts = entries.map(
      (entry) => `### ${entry.variable}\n\n${entry.meaning}\n\nValid: ${entry.type}.\n`,
    );
    return `## ${group}\n\n${parts.join("\n")}`;
  });
  return `${generatedFrom("packages/server/src/config/settings.ts")}
# Configuration

Every setting is an environment variable, read once at the start. An empty variable counts as not set, unless its
text here says otherwise. If any setting is not valid, the server does not start: it names every bad one, with its
value and what would be valid.

\`npx vconductor check\` does only that, and prints the settings in force. Secrets and passwords are never
printed.

${sections.join("\n")}`;
}

function scopesAndRoles(): string {
  const scopeRows = scopes.map((scope) => `| \`${scope}\` | ${scopeMeanings[scope]} |`);
  const roleRows = Object.entries(builtInRoles).map(
    ([role, held]) => `| \`${role}\` | ${held.map((scope) => `\`${scope}\``).join(", ")} |`,
  );
  return `${generatedFrom("packages/server/src/access")}
# Scopes and roles

What a scope lets a caller do; [access.md](access.md) says how callers get them. Which scopes a route asks for is in
\`/openapi.json\`, and in \`/docs\` under the lock of each route.

| scope | to |
|---|---|
${scopeRows.join("\n")}

A role is a named set of scopes. These are built in; \`ROLES\` adds others, or gives these another meaning.

| role | scopes |
|---|---|
${roleRows.join("\n")}
`;
}

function errors(): string {
  const rows = errorCodes.map(({ code, status, exceptionClass }) => {
    const { meaning, remedy } = errorTexts[code];
    const name = exceptionClass === undefined ? "" : `\`${exceptionClass}\``;
    return `| \`${code}\` | ${status} | ${name} | ${meaning} | ${remedy} |`;
  });
  return `${generatedFrom("packages/server/src/errors.ts and scripts/docs.ts")}
# Errors

The body of an error is JSON:

\`\`\`json
{ "detail": "queue: calls not found", "code": "queue_not_found", "exception_class": "QueueDoesNotExist" }
\`\`\`

- \`detail\` is a text for people, or, for a request that does not fit its schema, a list of findings.
- \`code\` is for programs. It is one of the codes below; they do not change.
- \`exception_class\` is the name that the reference server has for it, where it has one.

| code | status | exception_class | what it means | what to do |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

function processors(): string {
  return `${generatedFrom("packages/server/src/processors/builtin")}\n${processorDocs(builtin)}`;
}

function generatedFrom(source: string): string {
  return `<!-- Generated by scripts/docs.ts from ${source}. Do not edit. -->\n`;
}

const documents: ReadonlyMap<string, () => string> = new Map([
  ["docs/configuration.md", configuration],
  ["docs/errors.md", errors],
  ["docs/scopes.md", scopesAndRoles],
  ["docs/processors.md", processors],
]);

function current(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}

const stale = [...documents].filter(([path, render]) => current(path) !== render());
if (process.argv.includes("--check")) {
  for (const [path] of stale) console.error(`${path} is out of date; run: node scripts/docs.ts`);
  if (stale.length > 0) process.exitCode = 1;
} else {
  for (const [path, render] of stale) writeFileSync(join(root, path), render());
  for (const [path] of stale) console.log(`wrote ${path}`);
}
