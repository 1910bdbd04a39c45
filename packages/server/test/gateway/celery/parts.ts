import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../plugins/command.ts";
import { debianPath, debianPython } from "../../setup/debian.ts";
import { eventually } from "../../setup/eventually.ts";

export interface Part {
  readonly url: string;
  stop(): Promise<void>;
}

/** A process in a group of its own, that is ended as a whole. */
function launch(command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const child: ChildProcess = spawn(command, args, {
    env: { PATH: debianPath, LANG: "C.UTF-8", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const gone = once(child, "exit");
  return {
    output: () => output,
    async end(signal: NodeJS.Signals) {
      try {
        process.kill(-(child.pid ?? 0), signal);
      } catch {
        // It has ended by itself.
      }
      await gone;
    },
    isGone: () => child.exitCode !== null || child.signalCode !== null,
  };
}

const isOpen = (port: number) =>
  new Promise<boolean>((done) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });

/** A RabbitMQ of its own, on this machine only. */
export async function startRabbitMq(): Promise<Part & { restart(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "vconductor-rabbitmq-"));
  const [port, distribution, epmd] = [await freePort(), await freePort(), await freePort()];
  await writeFile(join(directory, "plugins"), "[].");
  const env = {
    HOME: directory,
    RABBITMQ_NODENAME: `vconductor${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(directory, "data"),
    RABBITMQ_LOG_BASE: join(directory, "log"),
    RABBITMQ_PID_FILE: join(directory, "pid"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, "plugins"),
    RABBITMQ_CONF_ENV_FILE: join(directory, "none"),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: String(epmd),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 1:1",
  };
  const start = async () => {
    const launched = launch("/usr/lib/rabbitmq/bin/rabbitmq-server", [], env);
    await eventually(async () => {
      if (launched.isGone()) throw new Error(`RabbitMQ ended:\n${launched.output()}`);
      return (await isOpen(port)) && /completed with \d+ plugins/.test(launched.output());
    });
    return launched;
  };
  // RabbitMQ would start one that stays.
  const names = launch("epmd", ["-port", String(epmd), "-address", "127.0.0.1"], env);
  await eventually(() => isOpen(epmd));
  let broker = await start();
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}/`,
    async restart() {
      await broker.end("SIGTERM");
      broker = await start();
    },
    async stop() {
      await broker.end("SIGKILL");
      await names.end("SIGKILL");
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export async function startRedis(): Promise<Part> {
  const directory = await mkdtemp(join(tmpdir(), "vconductor-redis-"));
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory];
  const redis = launch("redis-server", args, {});
  await eventually(() => isOpen(port));
  return {
    url: `redis://127.0.0.1:${port}/0`,
    async stop() {
      await redis.end("SIGKILL");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * A worker of Celery with two processes, on the queues `stub_queue` and `other_queue`.
 *
 * @param options.log gets the id of each task that it begins
 * @param options.maxPriority with which it makes its queues
 */
export async function startCelery(options: {
  readonly broker: string;
  readonly backend: string;
  readonly log: string;
  readonly maxPriority?: number | undefined;
}): Promise<Part> {
  const args = [
    "-A",
    "worker",
    "worker",
    "-Q",
    "stub_queue,other_queue",
    "-c",
    "2",
    "-l",
    "INFO",
    "--without-gossip",
    "--without-mingle",
  ];
  const celery = launch(debianPython, ["-m", "celery", "--workdir", import.meta.dirname, ...args], {
    BROKER: options.broker,
    BACKEND: options.backend,
    LOG: options.log,
    MAX_PRIORITY: String(options.maxPriority ?? ""),
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONPATH: import.meta.dirname,
  });
  await eventually(() => {
    if (!celery.output().includes(" ready.")) throw new Error(`Celery is not ready:\n${celery.output()}`);
    return true;
  });
  return { url: "", stop: () => celery.end("SIGKILL") };
}
