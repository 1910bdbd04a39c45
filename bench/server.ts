import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../packages/server/src/main.ts", import.meta.url));

/** The server under test: a process of its own, as `npm start` runs it. */
export class BenchServer {
  readonly url: string;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, options: { readonly url: string; readonly pid: number }) {
    this.#child = child;
    this.url = options.url;
    this.pid = options.pid;
    process.once("exit", () => child.kill("SIGTERM"));
  }

  /**
   * Starts the server; the promise resolves when it takes requests.
   * @param options.nodeOptions for all its processes, for example `--cpu-prof`
   */
  static async start(options: {
    readonly databaseUrl: string;
    /** Settings that are not the default; those of this process's own environment do not reach the server. */
    readonly settings: Readonly<Record<string, string>>;
    readonly nodeOptions: readonly string[];
    readonly signal: AbortSignal;
  }): Promise<BenchServer> {
    const { PATH, HOME, TMPDIR } = process.env;
    const fixed = { REST_URL: "http://127.0.0.1:0", VCON_STORAGE_URL: options.databaseUrl };
    const child = spawn(process.execPath, [program, "serve"], {
      env: { PATH, HOME, TMPDIR, NODE_OPTIONS: options.nodeOptions.join(" "), ...options.settings, ...fixed },
      stdio: ["ignore", "pipe", "pipe"],
      // Ctrl-C reaches the benchmark alone, which then stops the server.
      detached: true,
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`the server did not start:\n${said}`)));
      options.signal.addEventListener("abort", () => child.kill("SIGTERM"));
      createInterface({ input: child.stdout }).on("line", (line) => {
        const found = /^\s*API\s+(http\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    return new BenchServer(child, { url, pid: child.pid ?? 0 });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }

  /** A call outside the measurements. @throws Error unless it succeeds */
  async call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Queues one vCon. Answers with the job's number. */
  async queueVcon(queue: string, uuid: string): Promise<number> {
    const response = await fetch(`${this.url}/queue/${queue}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ job_type: "vcon_uuid", vcon_uuid: [uuid] }),
    });
    if (!response.ok) throw new Error(`PUT /queue/${queue} was answered with ${response.status}`);
    await response.arrayBuffer();
    return Number(response.headers.get("vconductor-job-id"));
  }
}
