import { createServer } from "node:net";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { readConfig } from "../../src/config.ts";
import { Server } from "../../src/server.ts";
import { type Answer, type CallOptions, call } from "../http/call.ts";
import { createDatabase } from "./database.ts";

/** The directory of the processors that only tests have. */
export const testPlugins = dirname(fileURLToPath(import.meta.resolve("../http/plugins/test-processors.ts")));

/** A whole vConductor: the API in the test's own process, its pipeline workers in theirs. */
export interface TestServer {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** The address of its database, for a second server beside it or after it. */
  readonly database: string;
  /** Sends a request; a body that is not text is sent as JSON, without a Content-Type. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** `fetch` on the server. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Stops the server, and deletes its database unless that was given. */
  stop(): Promise<void>;
}

/**
 * Starts a server on an empty database of its own. Of several at once, the workers of all have the settings of
 * the last one.
 * @param env settings, as environment variables; those of the test's own environment do not count. With a
 *   VCON_STORAGE_URL, that database is used and kept
 */
export async function startTestServer(env: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const own = env.VCON_STORAGE_URL === undefined ? await createDatabase() : undefined;
  const database = env.VCON_STORAGE_URL ?? own?.url ?? "";
  const settings = {
    REST_URL: `http://127.0.0.1:${await freePort()}`,
    LOG_LEVEL: "silent",
    NUM_WORKERS: "1",
    ...env,
    VCON_STORAGE_URL: database,
  };
  const server = new Server(readConfig(settings));
  // Its worker processes are given the environment of this one, also those that take the place of another later.
  const before = { ...process.env };
  Object.assign(process.env, settings);
  const leave = async () => {
    await server.stop();
    for (const name of Object.keys(settings)) {
      const value = before[name];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await own?.drop();
  };
  await server.start().catch(async (error: unknown) => {
    await leave();
    throw error;
  });
  return {
    url: server.url,
    database,
    call: (method, path, options) => call(method, `${server.url}${path}`, options),
    fetch: (path, init) => fetch(`${server.url}${path}`, init),
    stop: leave,
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
