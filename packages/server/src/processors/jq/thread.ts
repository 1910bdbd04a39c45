/**
 * The thread that jq runs in. jq itself is WebAssembly: it has its own memory (at most 256 MiB), an
 * in-memory file system with nothing in it, and a made-up environment, so a program reaches nothing of
 * the host. What is left to guard here is memory: output is capped, and a jq that ran out of memory or
 * grew large is thrown away (WebAssembly memory never shrinks).
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { Jq } from "jq-wasm";
import type { JqReply, JqRequest, JqThreadData } from "./protocol.ts";

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** The parts used here; the types of Node have none. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
  readonly Memory: new (size: { readonly initial: number }) => WasmMemory;
};

const RELOAD_ABOVE_BYTES = 64 * 1024 * 1024;
const port = parentPort;
if (port === null) throw new Error("jq/thread.ts runs in a worker thread only");
const { maxOutputBytes }: JqThreadData = workerData;

let outputTooLarge = false;

/**
 * jq-wasm collects output in a byte array that it doubles without end. There is no hook for that, so the
 * thread's own Uint8Array refuses the growth; jq then sees a failing write, and we answer for it.
 */
globalThis.Uint8Array = new Proxy(Uint8Array, {
  construct(target, args: unknown[], newTarget) {
    if (typeof args[0] === "number" && args[0] > maxOutputBytes) {
      // The program might print for ever: answer now, the sandbox then ends this thread.
      if (!outputTooLarge) tooLarge();
      throw new RangeError("jq output too large");
    }
    return Reflect.construct(target, args, newTarget);
  },
});
// The runtime reports an abort on the console; the reply says it better.
console.error = () => {};

const { loadJq } = await import("jq-wasm");
let memory: WasmMemory | undefined;
let current = 0;
const wasm = new WebAssembly.Module(readFileSync(createRequire(import.meta.url).resolve("jq-wasm/jq.wasm")));

let jq: Jq | undefined = await load();

function reply(message: JqReply): void {
  port?.postMessage(message);
}

function tooLarge(): void {
  outputTooLarge = true;
  reply({ id: current, failure: `the output is larger than ${maxOutputBytes} bytes`, endless: true });
}

async function load(): Promise<Jq> {
  return await loadJq({
    instantiateWasm(imports, onSuccess) {
      const instance = new WebAssembly.Instance(wasm, imports);
      memory = Object.values(instance.exports).find((item) => item instanceof WebAssembly.Memory);
      onSuccess(instance, wasm);
    },
  });
}

function run(loaded: Jq, { id, program, input }: JqRequest): JqReply {
  try {
    // "--" because a program may begin with a minus sign.
    const { stdout, stderr, exitCode } = loaded.raw(input, program, ["-c", "--"]);
    if (exitCode === 0) return { id, stdout };
    return { id, failure: stderr === "" ? `jq ended with exit code ${exitCode}` : stderr };
  } catch {
    jq = undefined;
    return { id, failure: "the program ran out of memory" };
  }
}

port.on("message", (request: JqRequest) => {
  void (async () => {
    current = request.id;
    jq ??= await load();
    const answer = run(jq, request);
    if (memory !== undefined && memory.buffer.byteLength > RELOAD_ABOVE_BYTES) jq = undefined;
    if (!outputTooLarge) reply(answer);
  })();
});
reply({ ready: true });
