import { Worker } from "node:worker_threads";
import type { JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../../errors.ts";
import type { Service } from "../../service.ts";
import { JsonText } from "./json-text.ts";
import { parseOutputs } from "./outputs.ts";
import type { JqReply, JqRequest, JqThreadData } from "./protocol.ts";

export interface JqSandboxOptions {
  /** Largest output of one program, in bytes. Default: 64 MiB. */
  readonly maxOutputBytes?: number;
  /** Longest run of one program when the call names none, in milliseconds. Default: 10 000. */
  readonly timeoutMs?: number;
}

export interface JqCall {
  readonly program: string;
  readonly input: JsonValue | JsonText;
  /** Longest run, in milliseconds, counted from when the program starts; waiting for its turn is free. */
  readonly timeoutMs?: number;
  /** Gives up: a waiting program is dropped, a running one is stopped. */
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly request: JqRequest;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly settle: (outcome: { readonly stdout: string } | { readonly error: VconductorError }) => void;
}

/**
 * Real jq 1.8 in a thread of its own, one program at a time, the rest wait in order. A program that does not
 * end in time takes the thread with it, and the next program starts a new one. The thread starts with the
 * first program and does not keep the process alive while idle.
 */
export class JqSandbox implements Service {
  readonly #maxOutputBytes: number;
  readonly #timeoutMs: number;
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #ready = false;
  #running: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextId = 1;

  constructor(options: JqSandboxOptions = {}) {
    this.#maxOutputBytes = options.maxOutputBytes ?? 64 * 1024 * 1024;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
  }

  async start(): Promise<void> {}

  /** Ends the thread; programs that wait or run fail with `stopping`. A later `run` starts it again. */
  async stop(): Promise<void> {
    const error = new VconductorError("stopping", "jq is stopping");
    for (const waiting of this.#waiting.splice(0)) waiting.settle({ error });
    const worker = this.#worker;
    this.#end({ error });
    await worker?.terminate();
  }

  /**
   * Every output of `program` for `input`, in order; may be empty.
   *
   * @throws invalid_query the program does not compile, fails, takes too long, or uses too much memory
   * @throws run_cancelled `signal` was aborted
   */
  async run(call: JqCall): Promise<JsonValue[]> {
    const input = call.input instanceof JsonText ? call.input.text : JSON.stringify(call.input);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const waiting: Waiting = {
      request: { id: this.#nextId++, program: call.program, input },
      timeoutMs: call.timeoutMs ?? this.#timeoutMs,
      signal: call.signal,
      settle: (outcome) => ("error" in outcome ? reject(outcome.error) : resolve(outcome.stdout)),
    };
    const abort = () => this.#abort(waiting);
    if (call.signal?.aborted) throw cancelled(call.signal);
    call.signal?.addEventListener("abort", abort, { once: true });
    this.#waiting.push(waiting);
    this.#next();
    try {
      return parseOutputs(await promise);
    } finally {
      call.signal?.removeEventListener("abort", abort);
    }
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#worker?.unref();
      return;
    }
    this.#running = waiting;
    const worker = this.#thread();
    worker.ref();
    worker.postMessage(waiting.request);
    if (this.#ready) this.#startTimer();
  }

  #startTimer(): void {
    const timeoutMs = this.#running?.timeoutMs;
    if (timeoutMs === undefined) return;
    this.#timer = setTimeout(() => {
      const message = `jq: the program took longer than ${timeoutMs / 1000} s`;
      this.#end({ error: new VconductorError("invalid_query", message) });
    }, timeoutMs);
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const workerData: JqThreadData = { maxOutputBytes: this.#maxOutputBytes };
    const worker = new Worker(new URL("./thread.ts", import.meta.url), {
      workerData,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 },
    });
    worker.on("message", (reply: JqReply) => {
      if (this.#worker === worker) this.#replied(reply);
    });
    worker.on("error", (cause) => {
      if (this.#worker === worker) this.#end({ error: deadThread(cause) });
    });
    worker.on("exit", () => {
      if (this.#worker === worker) this.#end({ error: deadThread(undefined) });
    });
    this.#worker = worker;
    return worker;
  }

  #replied(reply: JqReply): void {
    if ("ready" in reply) {
      // The time a thread takes to start is not the program's.
      this.#ready = true;
      this.#startTimer();
      return;
    }
    const running = this.#running;
    if (running?.request.id !== reply.id) return;
    if ("failure" in reply) {
      const error = new VconductorError("invalid_query", `jq: ${cleanFailure(reply.failure)}`);
      // The thread cannot stop a program that has printed too much, only the end of the thread can.
      if (reply.endless) this.#end({ error });
      else this.#settle({ error });
    } else this.#settle({ stdout: reply.stdout });
  }

  #settle(outcome: Parameters<Waiting["settle"]>[0]): void {
    clearTimeout(this.#timer);
    const running = this.#running;
    this.#running = undefined;
    running?.settle(outcome);
    this.#next();
  }

  /** Ends the thread and with it the running program. */
  #end(outcome: { readonly error: VconductorError }): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#ready = false;
    void worker?.terminate();
    this.#settle(outcome);
  }

  #abort(waiting: Waiting): void {
    const error = cancelled(waiting.signal);
    if (this.#running === waiting) {
      this.#end({ error });
      return;
    }
    const index = this.#waiting.indexOf(waiting);
    if (index >= 0) this.#waiting.splice(index, 1);
    waiting.settle({ error });
  }
}

function cancelled(signal: AbortSignal | undefined): VconductorError {
  if (signal?.reason instanceof VconductorError) return signal.reason;
  return new VconductorError("run_cancelled", "jq: cancelled");
}

function deadThread(cause: unknown): VconductorError {
  return new VconductorError("invalid_query", "jq: the program used too much memory", { cause });
}

/** jq's own text without the parts that only make sense on a command line. */
function cleanFailure(text: string): string {
  return text
    .replace(/^jq: error(?: \(at [^)]*\))?: /, "")
    .replace(/\n+jq: \d+ compile errors?$/, "")
    .slice(0, 2000);
}
