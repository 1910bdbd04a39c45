import type { StoreUrls } from "../stores.ts";

/** What the supervisor tells a pipeline worker when it starts it. */
export interface WorkerStart {
  readonly type: "start";
  readonly urls: StoreUrls;
  readonly worker: string;
  readonly server: string;
  readonly address: string;
}

export type ToWorker = WorkerStart | { readonly type: "stop" };

/** `ready`: it claims jobs. `retiring`: it ends once its runs have ended; another should take its place. */
export type FromWorker = { readonly type: "ready" } | { readonly type: "retiring"; readonly reason: string };
