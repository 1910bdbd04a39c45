/** What happens on any server, as told by `GET /events`. */
export type ServerEvent =
  | { readonly type: "vcon.stored"; readonly uuid: string; readonly revision: number }
  | { readonly type: "vcon.deleted"; readonly uuid: string }
  | {
      readonly type: "queue.created" | "queue.deleted" | "queue.paused" | "queue.resumed";
      readonly queue: string;
    }
  | { readonly type: "job.queued"; readonly queue: string; readonly job: number }
  | { readonly type: "run.started"; readonly run: number; readonly queue: string; readonly job: number }
  | {
      readonly type: "run.progress";
      readonly run: number;
      readonly progress: number;
      readonly message?: string | undefined;
    }
  | { readonly type: "run.finished"; readonly run: number; readonly queue: string; readonly outcome: string };

/** Takes events of what has been committed. Publishing never fails and never waits. */
export interface EventSink {
  publish(event: ServerEvent): void;
}
