import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlugins, type ServerProcess, startServer } from "../promises/server-process.ts";
import { createDatabase } from "../setup/database.ts";
import { eventually } from "../setup/eventually.ts";

// Calls every route of a running server and compares every answer with what the API's description says of it.

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>
  >;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}
interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

let server: ServerProcess;
let document: Document;
let directory: string;
const cleanups: (() => Promise<unknown>)[] = [];
const called = new Map<string, Set<number>>();
const ajv = new Ajv2020({ strict: false, validateFormats: false });

beforeAll(async () => {
  const database = await createDatabase();
  const plugins = await makePlugins();
  directory = await mkdtemp(join(tmpdir(), "vconductor-walk-"));
  server = await startServer({ VCON_STORAGE_URL: database.url, PLUGIN_PATHS: plugins.directory });
  cleanups.push(
    database.drop,
    plugins.remove,
    () => rm(directory, { recursive: true, force: true }),
    () => server.killAll(),
    () => server.stop(),
  );
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document;
  ajv.addSchema({ $id: "api", components: document.components });
});
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** Sends a request and checks the answer against the description of the operation. */
async function ask(
  method: string,
  path: string,
  options: {
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
    readonly expected: number;
  },
): Promise<Answer> {
  const { body, headers = {} } = options;
  const response = await fetch(server.url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const answer = { status: response.status, text: await response.text(), headers: response.headers };
  check({ method, path: path.split("?")[0] ?? path, answer });
  expect(`${method} ${path}: ${answer.status}`).toBe(`${method} ${path}: ${options.expected}`);
  return answer;
}

function check(asked: { readonly method: string; readonly path: string; readonly answer: Answer }): void {
  const { method, path, answer } = asked;
  const operation = find(method, path);
  const label = `${operation.operationId} ${answer.status}`;
  const declared = operation.responses[String(answer.status)];
  expect(declared, `${label} is not declared; it said ${answer.text.slice(0, 300)}`).toBeDefined();
  called.set(operation.operationId, (called.get(operation.operationId) ?? new Set()).add(answer.status));
  const [type = "", content] = Object.entries(declared?.content ?? {})[0] ?? [];
  if (content === undefined || [204, 304].includes(answer.status)) {
    expect(answer.text, `${label} should have no body`).toBe("");
    return;
  }
  expect(answer.headers.get("content-type")?.startsWith(type), `${label}: ${type}`).toBe(true);
  if (type !== "application/json") return;
  expect(answer.headers.get("content-type")).toBe("application/json");
  const validate = ajv.compile(absolute(content.schema));
  const valid = validate(JSON.parse(answer.text));
  expect(valid, `${label}: ${ajv.errorsText(validate.errors)} in ${answer.text.slice(0, 500)}`).toBe(true);
}

function find(method: string, path: string): Operation {
  const parts = path.split("/");
  const matches = Object.entries(document.paths).filter(([template]) => {
    const wanted = template.split("/");
    return (
      wanted.length === parts.length && wanted.every((part, n) => part.startsWith("{") || part === parts[n])
    );
  });
  // A literal path is meant before one with a parameter.
  const [best] = matches.sort(([a], [b]) => a.split("{").length - b.split("{").length);
  const operation = best?.[1][method.toLowerCase()];
  if (operation === undefined) throw new Error(`${method} ${path} is not described`);
  return operation;
}

/** References in the document, as seen from outside it. */
function absolute(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/'));
}

const vcon = {
  vcon: "0.4.0",
  uuid: "walk",
  created_at: "2026-05-01T10:00:00Z",
  parties: [{ name: "Ann" }],
  dialog: [],
};
const tag = { processor_name: "tag", processor_options: { tags: ["walked"] } };

test("every answer is as described, and every route is called", async () => {
  expect(document.openapi).toMatch(/^3\.1/);
  for (const path of [
    "/health",
    "/health/live",
    "/health/ready",
    "/version",
    "/metrics",
    "/server/info",
    "/servers",
  ]) {
    await ask("GET", path, { expected: 200 });
  }
  await vcons();
  await pipelines();
  await processors();
  await queuesAndRuns();
  await servers();
  await events();

  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const silent = operations.filter(
    ({ operationId }) => ![...(called.get(operationId) ?? [])].some((s) => s < 300),
  );
  expect(silent.map((operation) => operation.operationId)).toEqual([]);
});

async function vcons(): Promise<void> {
  const stored = await ask("POST", "/vcon", { body: vcon, expected: 204 });
  expect(stored.headers.get("etag")).toBe('"1"');
  await ask("POST", "/vcon", { body: vcon, headers: { "if-none-match": "*" }, expected: 412 });
  await ask("POST", "/vcon", { body: vcon, headers: { "if-match": '"7"' }, expected: 412 });
  await ask("POST", "/vcon", { body: { uuid: 7 }, expected: 422 });
  await ask("POST", "/vcon", { body: { ...vcon, vcon: "9.9" }, expected: 422 });
  await ask("POST", "/vcon", { body: "{", expected: 422 });
  await ask("POST", "/vcon", {
    body: { payload: "e30", signatures: [{ header: { uuid: "signed" } }] },
    expected: 204,
  });
  await ask("POST", "/vcon", {
    body: { ciphertext: "x", recipients: [{}], unprotected: { uuid: "locked" } },
    expected: 204,
  });
  await ask("GET", "/vcon/walk", { expected: 200 });
  await ask("GET", "/vcon/signed", { expected: 200 });
  await ask("GET", "/vcon/locked", { expected: 200 });
  await ask("GET", "/vcon/walk?version=0.0.2", { expected: 200 });
  await ask("GET", "/vcon/walk", { headers: { "if-none-match": '"1"' }, expected: 304 });
  await ask("GET", "/vcon/none", { expected: 404 });
  await ask("GET", "/vcon/walk?version=7", { expected: 422 });
  await ask("GET", "/vcons?name=Ann&limit=1&text=Ann", { expected: 200 });
  await ask("GET", "/vcons?limit=0", { expected: 422 });
  await ask("GET", "/vcon/walk/jq?jq_transform=.parties%5B%5D.name", { expected: 200 });
  await ask("GET", "/vcon/walk/jq?jq_transform=%7B", { expected: 422 });
  await ask("GET", "/vcon/signed/jq?jq_transform=.", { expected: 422 });
  await ask("GET", "/vcon/none/jq?jq_transform=.", { expected: 404 });
  await ask("GET", "/vcon/walk/jsonpath?path_string=$.parties", { expected: 200 });
  await ask("GET", "/vcon/walk/jsonpath?path_string=$[", { expected: 422 });
  await ask("GET", "/vcon/none/jsonpath?path_string=$", { expected: 404 });
  await ask("DELETE", "/vcon/locked", { headers: { "if-match": '"9"' }, expected: 412 });
  await ask("DELETE", "/vcon/locked", { expected: 204 });
}

async function pipelines(): Promise<void> {
  const definition = { pipeline_options: {}, processors: [tag] };
  await ask("PUT", "/pipeline/walk", { body: definition, expected: 204 });
  await ask("PUT", "/pipeline/walk", { body: { processors: 7 }, expected: 422 });
  const unknown = { pipeline_options: {}, processors: [{ processor_name: "nobody", processor_options: {} }] };
  await ask("PUT", "/pipeline/other", { body: unknown, expected: 422 });
  await ask("PUT", "/pipeline/other?validate_processor_options=false", { body: unknown, expected: 204 });
  await ask("GET", "/pipelines", { expected: 200 });
  await ask("GET", "/pipeline/walk", { expected: 200 });
  await ask("GET", "/pipeline/none", { expected: 404 });
  await ask("POST", "/pipeline/walk/run", { body: { ...vcon, uuid: "given" }, expected: 200 });
  await ask("POST", "/pipeline/walk/run?return_results=false", {
    body: { ...vcon, uuid: "given" },
    expected: 200,
  });
  await ask("POST", "/pipeline/other/run", { body: vcon, expected: 422 });
  await ask("POST", "/pipeline/none/run", { body: vcon, expected: 404 });
  await ask("POST", "/pipeline/walk/run/walk", { expected: 200 });
  await ask("POST", "/pipeline/walk/run/none", { expected: 404 });
  await ask("DELETE", "/pipeline/other", { expected: 204 });
  await ask("DELETE", "/pipeline/other", { expected: 404 });
  const slow = { processor_name: "append", processor_options: { ms: 60_000 } };
  await ask("PUT", "/pipeline/slow", {
    body: { pipeline_options: { timeout: 0.1 }, processors: [slow] },
    expected: 204,
  });
  const late = await ask("POST", "/pipeline/slow/run/walk", { expected: 430 });
  expect(JSON.parse(late.text).detail).toBe(
    "Error: pipeline: slow uuid: walk processing time exeeded timeout",
  );
}

async function processors(): Promise<void> {
  const gate = { inside: join(directory, "direct"), open: directory };
  const options: Readonly<Record<string, object>> = {
    conversation_stats: {},
    jq: { jq_queries: { n: ".vcons | length" } },
    queue_job: { queue_name: "aside" },
    set_parameters: { parameters: { a: 1 } },
    tag: { tags: ["direct"] },
    append: {},
    gate,
    crash: {},
    busy: {},
  };
  await ask("POST", "/queue/aside", { expected: 204 });
  for (const [name, processorOptions] of Object.entries(options)) {
    await ask("POST", `/process/walk/${name}`, { body: processorOptions, expected: 200 });
    await ask("POST", `/process/none/${name}`, { body: processorOptions, expected: 404 });
    await ask("POST", `/processIO/${name}`, {
      body: { processor_io: { vcons: [{ ...vcon, uuid: "io" }] }, processor_options: processorOptions },
      expected: 200,
    });
    await ask("POST", `/processIO/${name}`, { body: { processor_io: {} }, expected: 422 });
  }
  await ask("POST", "/process/walk/queue_job", { body: { queue_name: "missing" }, expected: 404 });
  await ask("POST", "/process/walk/jq", { body: { jq_queries: { n: "{" } }, expected: 422 });
}

async function queuesAndRuns(): Promise<void> {
  const inside = join(directory, "inside");
  const open = join(directory, "open");
  const gate = { processor_name: "gate", processor_options: { inside, open } };
  await ask("PUT", "/pipeline/gate", { body: { pipeline_options: {}, processors: [gate] }, expected: 204 });
  await ask("POST", "/queue/gate", { expected: 204 });
  await ask("POST", "/queue/gate", { expected: 422 });
  await ask("GET", "/queues", { expected: 200 });
  await ask("PATCH", "/queue/gate", { body: { paused: true }, expected: 204 });
  await ask("PATCH", "/queue/none", { body: { paused: true }, expected: 404 });
  const queued = await ask("PUT", "/queue/gate", { body: { vcon_uuid: ["walk"] }, expected: 200 });
  expect(queued.text).toBe("1");
  const spare = await ask("PUT", "/queue/gate", {
    body: { vcon_uuid: ["walk"], delay: 3600, priority: 2 },
    expected: 200,
  });
  await ask("PUT", "/queue/gate", { body: { job_type: "foo", vcon_uuid: ["walk"] }, expected: 422 });
  await ask("PUT", "/queue/gate", { body: { vcon_uuid: [] }, expected: 422 });
  await ask("PUT", "/queue/none", { body: { vcon_uuid: ["walk"] }, expected: 404 });
  await ask("GET", "/queue/gate", { expected: 200 });
  await ask("GET", "/queue/none", { expected: 404 });
  const job = spare.headers.get("vconductor-job-id");
  await ask("DELETE", `/queue/gate/job/${job}`, { expected: 204 });
  await ask("DELETE", `/queue/gate/job/${job}`, { expected: 404 });
  await ask("POST", "/server/queue/gate", { body: {}, expected: 204 });
  await ask("PATCH", "/queue/gate", { body: { paused: false }, expected: 204 });

  const first = await activeRun(inside);
  await ask("GET", `/runs/${first}`, { expected: 200 });
  await ask("GET", `/runs/${first}/wait?timeout=0`, { expected: 200 });
  await ask("PUT", `/in_progress/${first}`, { expected: 204 });
  await ask("PUT", `/in_progress/${first}`, { expected: 404 });
  const second = await activeRun(inside);
  expect(second).toBeGreaterThan(first);
  await ask("POST", `/runs/${second}/cancel`, { expected: 202 });
  await ask("GET", `/runs/${second}/wait?timeout=30`, { expected: 200 });
  await ask("POST", `/runs/${second}/cancel`, { expected: 409 });
  await ask("POST", "/runs/999999/cancel", { expected: 404 });
  await ask("GET", "/runs/999999", { expected: 404 });
  await ask("GET", "/runs/999999/wait", { expected: 404 });
  await ask("GET", "/runs?outcome=cancelled&limit=1", { expected: 200 });
  await ask("GET", "/runs?outcome=nonsense", { expected: 422 });

  await ask("PUT", "/queue/gate", { body: { vcon_uuid: ["walk"] }, expected: 200 });
  await ask("DELETE", `/in_progress/${await activeRun(inside)}`, { expected: 204 });
  await ask("DELETE", "/in_progress/999999", { expected: 404 });

  await ask("PUT", "/queue/gate", { body: { vcon_uuid: ["missing"] }, expected: 200 });
  const failed = await eventually(async () => {
    const answer = await ask("GET", "/queue/gate/failed", { expected: 200 });
    const { jobs }: { jobs: { run_id: number }[] } = JSON.parse(answer.text);
    return jobs[0];
  });
  await ask("GET", "/queue/none/failed", { expected: 404 });
  await ask("POST", `/queue/gate/failed/${failed.run_id}/requeue`, { expected: 204 });
  await ask("POST", `/queue/gate/failed/${failed.run_id}/requeue`, { expected: 404 });
  await writeFile(open, "");
  await ask("DELETE", "/queue/gate", { expected: 200 });
  await ask("DELETE", "/queue/gate", { expected: 404 });
}

/** Waits until a run is inside the gate. Answers with its number. */
async function activeRun(inside: string): Promise<number> {
  const run = await eventually(async () => {
    const answer = await ask("GET", "/in_progress", { expected: 200 });
    const [id] = Object.keys(JSON.parse(answer.text));
    return existsSync(inside) ? id : undefined;
  });
  await rm(inside);
  return Number(run);
}

async function servers(): Promise<void> {
  await ask("GET", "/server/queues", { expected: 200 });
  await ask("POST", "/server/queue/walk", { body: { weight: "7" }, expected: 204 });
  await ask("POST", "/server/queue/walk", { body: { weight: "x" }, expected: 422 });
  await ask("DELETE", "/server/queue/walk", { expected: 204 });
  await ask("DELETE", "/server/queue/walk", { expected: 404 });
  const [key = ""] = Object.keys(JSON.parse((await ask("GET", "/servers", { expected: 200 })).text));
  await ask("DELETE", `/servers/${encodeURIComponent(key)}`, { expected: 204 });
  await ask("DELETE", `/servers/${encodeURIComponent(key)}`, { expected: 404 });
  // Its own record deleted, the reference answers null.
  expect((await ask("GET", "/server/info", { expected: 200 })).text).toBe("null");
}

async function events(): Promise<void> {
  const gone = new AbortController();
  const response = await fetch(`${server.url}/events?types=vcon`, { signal: gone.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const seen = (async () => {
    while (!text.includes("event: vcon.stored")) text += (await reader?.read())?.value ?? "";
  })();
  // The event is sent once the watcher is known everywhere: a write after that is seen.
  await eventually(async () => {
    await ask("POST", "/vcon", { body: vcon, expected: 204 });
    return text.includes("event: vcon.stored");
  });
  await seen;
  gone.abort();
  expect(text).toMatch(
    /event: vcon\.stored\ndata: \{"type":"vcon\.stored","uuid":"walk","revision":\d+\}\n\n/,
  );
  check({ method: "GET", path: "/events", answer: { status: 200, text, headers: response.headers } });
}
