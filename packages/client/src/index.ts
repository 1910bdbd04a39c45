export { Client, type ClientOptions, type RequestOptions } from "./client.ts";
export { ApiError, UnsendableError } from "./errors.ts";
export type { JobContext, JobHandler } from "./job.ts";
export { JobError } from "./job-error.ts";
export type { Json, RemoteJob, Run, StopReason } from "./types.ts";
export { createWorker, type Worker, type WorkerEvent, type WorkerOptions } from "./worker.ts";
