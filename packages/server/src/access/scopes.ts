/** What a route asks of whoever calls it. The order is that of the documentation. */
export const scopes = [
  "vcon:read",
  "vcon:write",
  "vcon:delete",
  "vcon:ingest",
  "process:run",
  "pipeline:write",
  "queue:write",
  "job:work",
  "metrics:read",
  "admin",
] as const;

export type Scope = (typeof scopes)[number];

export function isScope(text: string): text is Scope {
  return scopes.some((scope) => scope === text);
}

/** What each scope lets one do, for the documentation. */
export const scopeMeanings: Readonly<Record<Scope, string>> = {
  "vcon:read": "read, list and search vCons, and their media",
  "vcon:write": "store vCons, and say who else may see them",
  "vcon:delete": "delete vCons",
  "vcon:ingest": "add vCons to a queue, and nothing else; with an ingest key",
  "process:run": "run processors and pipelines, queue jobs, and see runs",
  "pipeline:write": "read, define and delete pipelines",
  "queue:write": "create, pause and delete queues, and manage the jobs in them",
  "job:work": "take jobs out of queues as a remote worker",
  "metrics:read": "read /metrics, which count for all tenants",
  admin: "everything, in every tenant; servers, tokens, usage and the audit trail",
};
