import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isScope, type Scope } from "../../src/access/scopes.ts";
import { TenantMedia } from "../../src/media/tenant-media.ts";
import { builtin } from "../../src/processors/builtin/index.ts";
import { at } from "../http/call.ts";
import { definition, vcon } from "../http/documents.ts";
import { OpenApiDocument, type Operation } from "../http/openapi-document.ts";
import { startApi, type TestApi } from "../http/start-api.ts";
import { mediaDirectory } from "../media/directory.ts";
import { makeToken, ordinary, tokensOf } from "./credentials.ts";

// Every route, tried by everybody: what the OpenAPI document says about scopes is what happens.

const kept = await mediaDirectory();
const api: TestApi = await startApi({
  env: { ACCESS: "on", AUTH_FAILURES_PER_MINUTE: "100000", ...kept.env },
});
afterAll(() => api.stop());
const document = new OpenApiDocument((await api.call("GET", "/openapi.json")).json);

const tokens = tokensOf(api);

type Token = Awaited<ReturnType<typeof makeToken>>;
let admin: Token;
let owner: Token;
let stranger: Token;
let expired: Token;
let revoked: Token;
beforeAll(async () => {
  admin = await makeToken(tokens, { scopes: ["admin"] });
  owner = await makeToken(tokens);
  stranger = await makeToken(tokens, { tenant: "b" });
  expired = await makeToken(tokens, { scopes: ["admin"], expiresAt: new Date(Date.now() - 1000) });
  revoked = await makeToken(tokens, { scopes: ["admin"] });
  await tokens.revoke(revoked.id);
});

/** The scopes of an operation; undefined for a public one. */
function scopesOf({ method, path }: Operation): readonly Scope[] | undefined {
  const security = at(document.json, "paths", path, method.toLowerCase(), "security");
  if (security === undefined) return undefined;
  return Object(at(security, 0, "bearer")).filter(isScope);
}

let made = 0;

/** One of everything, in the tenant a. Their names begin with `mine-`. */
async function makeThings() {
  made += 1;
  const name = `mine-${made}`;
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await api.call(method, path, {
      headers: owner.headers,
      ...(body === undefined ? {} : { body }),
    });
    expect([method, path, answer.status, answer.text]).toEqual([
      method,
      path,
      expect.toSatisfy((s) => s < 300),
      expect.anything(),
    ]);
    return answer;
  };
  await call("POST", "/vcon", vcon(name, { subject: name }));
  const queues = { waiting: `${name}-waiting`, running: `${name}-running`, failed: `${name}-failed` };
  for (const queue of Object.values(queues)) {
    await call("PUT", `/pipeline/${queue}`, definition([["tag", { tags: ["t"] }]], { save_vcons: false }));
    await call("POST", `/queue/${queue}`);
    await call("PUT", `/queue/${queue}`, { vcon_uuid: [name] });
  }
  const [waiting] = Object((await call("GET", `/queue/${queues.waiting}`)).json);
  const { jobs } = api.stores;
  const claim = async (queue: string) => {
    const claimed = await jobs.claim({
      cycle: [{ queue, count: 1 }],
      limit: 1,
      kind: "pipeline",
      worker: "worker",
      server: "server",
      leaseMs: 600_000,
    });
    return claimed.jobs[0]?.runId ?? 0;
  };
  const failed = await claim(queues.failed);
  await jobs.fail({ runId: failed, error: { code: "processor_failed", message: "no" } });
  const remote = `${name}-remote`;
  await call("POST", `/queue/${remote}?kind=remote`);
  await call("PUT", `/queue/${remote}`, { payload: name });
  await call("PUT", `/queue/${remote}`, { payload: name });
  const claimed = await call("POST", `/work/${remote}/claim`, { worker: `${name}-worker` });
  const media = new TenantMedia({ content: kept.store, database: api.stores.storeDatabase });
  const { url } = await media
    .of({ tenant: "a", all: false, grantees: [] })
    .put({ bytes: Buffer.from(name), mediatype: "text/plain" });
  const token = await makeToken(tokens);
  return {
    name,
    queues,
    job: String(at(waiting, "id")),
    running: String(await claim(queues.running)),
    failed: String(failed),
    remote,
    claimed: String(at(claimed.json, "jobs", 0, "run_id")),
    media: url.slice(url.lastIndexOf("/") + 1),
    token: token.id,
  };
}

type Things = Awaited<ReturnType<typeof makeThings>>;

let lent: Promise<Things> | undefined;

/** Things for an operation: of its own, unless it changes nothing. */
function thingsFor({ path }: Operation): Promise<Things> {
  if (!path.startsWith("/process")) return makeThings();
  lent ??= makeThings();
  return lent;
}

/** The request of an operation on these things. */
function requestOf(operation: Operation, things: Things) {
  const { name, queues } = things;
  const { path } = operation;
  const queue = path.includes("/failed") ? queues.failed : queues.waiting;
  const values: Readonly<Record<string, string>> = {
    vcon_uuid: name,
    name: path.startsWith("/media") ? things.media : queue,
    run_id: path.includes("/failed")
      ? things.failed
      : path.startsWith("/work/")
        ? things.claimed
        : things.running,
    queue: path.startsWith("/work/") ? things.remote : queue,
    worker_id: `${name}-worker`,
    job_id: path.startsWith("/in_progress") ? things.running : things.job,
    token_id: things.token,
    server_key: "host:1:2:3",
  };
  const filled = path.replace(/\{(\w+)\}/g, (_, parameter) =>
    encodeURIComponent(values[parameter] ?? "none"),
  );
  const queries: Readonly<Record<string, string>> = {
    get_vcon_jq: "?jq_transform=.",
    get_vcon_jsonpath: "?path_string=$",
    post_external_ingress: `?ingress_list=${queue}`,
  };
  const query = queries[operation.id] ?? "";
  const body = bodyOf(operation, things);
  return { method: operation.method, path: `${filled}${query}`, options: body === undefined ? {} : { body } };
}

function bodyOf({ id, path }: Operation, { name }: Things): unknown {
  const bodies: Readonly<Record<string, unknown>> = {
    post_vcon: vcon(name, { subject: "changed" }),
    put_vcon_access: { grants: [{ grantee: "group:x", permissions: ["read"] }] },
    put_pipeline: definition([]),
    put_queue: { vcon_uuid: [name] },
    patch_queue: { paused: false },
    post_server_queue: { weight: 1 },
    post_token: { name: "made", scopes: ["vcon:read"] },
    post_pipeline_run: vcon(`${name}-given`),
    claim_work: { worker: `${name}-worker` },
    heartbeat_work: {},
    complete_work: {},
    fail_work: { message: "no" },
    release_work: { reason: "later" },
    patch_worker: { disabled: false },
    post_ingest: vcon(`${name}-added`),
    post_external_ingress: vcon(`${name}-added-too`),
  };
  if (!path.startsWith("/process")) return bodies[id];
  // Only whether one is let in counts: nothing is to be called.
  const example = builtin.find(({ name: processor }) => path.endsWith(`/${processor}`))?.example?.options;
  const options = { ...example, should_process: false };
  return path.startsWith("/processIO/")
    ? { processor_io: { vcons: [], parameters: {} }, processor_options: options }
    : options;
}

/** Sends it; of an answer without end only the beginning is read. */
async function send(request: ReturnType<typeof requestOf>, headers: Readonly<Record<string, string>> = {}) {
  const stop = new AbortController();
  const { body } = request.options;
  const answer = await fetch(`${api.url}${request.path}`, {
    method: request.method,
    signal: stop.signal,
    headers: body === undefined ? { ...headers } : { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const endless = answer.headers.get("content-type") === "text/event-stream";
  const text = endless ? "" : await answer.text();
  if (endless) stop.abort();
  return { status: answer.status, text, challenge: answer.headers.get("www-authenticate") };
}

/** What a stranger with the right scope gets, where it is not 404 (or an empty list). */
const strangers: Readonly<Record<string, number>> = {
  // As if it had not been there; it stays.
  delete_vcon: 204,
  // Names that are taken are taken.
  post_vcon: 403,
  put_pipeline: 403,
  post_queue: 422,
  post_external_ingress: 404,
};

/** What the owner gets, where it is not 2xx. */
const owners: Readonly<Record<string, number>> = {
  delete_server: 404,
  delete_server_queue: 404,
  post_queue: 422,
};

const listed = document.operations.filter((operation) => !operation.path.startsWith("/process"));
const processors = document.operations.filter((operation) => operation.path.startsWith("/process"));

it("covers all there is", () => {
  expect(listed.length).toBeGreaterThan(45);
  expect(processors.length).toBeGreaterThan(60);
  expect(listed.filter((operation) => scopesOf(operation) === undefined).map(({ key }) => key)).toEqual([
    "GET /health/live",
    "GET /health",
    "GET /health/ready",
    "GET /version",
  ]);
});

const named = (operations: readonly Operation[]) =>
  operations.map((operation) => ({ operation, key: operation.key }));
const isPublic = (operation: Operation) => scopesOf(operation) === undefined;

describe("for everybody", () => {
  it.each(named(listed.filter(isPublic)))("$key", async ({ operation }) => {
    const request = requestOf(operation, await makeThings());
    expect((await send(request)).status).toBe(200);
    expect((await send(request, revoked.headers)).status).toBe(200);
  });
});

describe("for those with its scope, on what is theirs", () => {
  it.each(named([...listed, ...processors].filter((operation) => !isPublic(operation))))(
    "$key",
    async ({ operation }) => {
      const wanted = scopesOf(operation) ?? [];
      const things = await thingsFor(operation);
      const request = requestOf(operation, things);
      const nobody = await send(request);
      expect([nobody.status, nobody.challenge]).toEqual([401, 'Bearer realm="vConductor"']);
      for (const bad of [expired, revoked]) {
        const answer = await send(request, bad.headers);
        expect([answer.status, answer.challenge]).toEqual([401, expect.stringContaining("invalid_token")]);
      }
      const others = ordinary.filter((scope) => !wanted.includes(scope));
      const lacking = await send(request, (await makeToken(tokens, { scopes: others })).headers);
      expect([lacking.status, lacking.challenge]).toEqual([403, expect.stringContaining(wanted.join(" "))]);

      const foreign = await send(request, stranger.headers);
      const isNamed = /\{(?!server_key)\w+\}/.test(operation.path);
      const usual = wanted.includes("admin") ? 403 : isNamed ? 404 : 200;
      if (operation.path.startsWith("/processIO/")) expect(foreign.status).toBe(200);
      else
        expect([foreign.status, foreign.text]).toEqual([strangers[operation.id] ?? usual, expect.anything()]);
      // A name is in an error only because the caller gave it. Metrics are the operator's, and count for all tenants.
      if (foreign.status < 300 && operation.id !== "metrics") expect(foreign.text).not.toContain(things.name);

      const own = wanted.includes("admin") ? admin : await makeToken(tokens, { scopes: wanted });
      const allowed = await send(request, own.headers);

      if (owners[operation.id] !== undefined) expect(allowed.status).toBe(owners[operation.id]);
      else
        expect([allowed.status, allowed.text]).toEqual([
          expect.toSatisfy((status) => status < 300),
          expect.anything(),
        ]);
    },
  );
});

it("whoever was refused has changed nothing", async () => {
  const things = await makeThings();
  for (const operation of [...listed, ...processors]) {
    const request = requestOf(operation, things);
    await send(request);
    await send(request, stranger.headers);
  }
  const read = async (path: string) => (await api.call("GET", path, { headers: owner.headers })).json;
  expect(await read(`/vcon/${things.name}`)).toEqual(vcon(things.name, { subject: things.name }));
  expect(await read(`/vcon/${things.name}/access`)).toEqual({ tenant: "a", restricted: false, grants: [] });
  expect(await read(`/queue/${things.queues.waiting}`)).toHaveLength(1);
  expect(await read(`/pipeline/${things.queues.waiting}`)).toMatchObject({
    processors: [{ processor_name: "tag" }],
  });
  expect(await read(`/runs/${things.running}`)).toMatchObject({ outcome: null, cancel_requested_at: null });
  expect(at(await read(`/queue/${things.queues.failed}/failed`), "jobs")).toHaveLength(1);
});
