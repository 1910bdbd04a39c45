/** Whose the vCon is that an event is about: it is told to those who see it. */
interface OfVcon {
  readonly tenant: string;
  /** Not all of the tenant's own see it. */
  readonly restricted: boolean;
}

/** What happens on any server, as told by `GET /events`. */
export type ServerEvent =
  | ({ readonly type: "vcon.stored"; readonly uuid: string; readonly revision: number } & OfVcon)
  | ({ readonly type: "vcon.deleted"; readonly uuid: string } & OfVcon)
  | {
      readonly type: "queue.created" | "queue.deleted" | "queue.paused" | "queue.resumed";
      readonly queue: string;
      readonly tenant: string;
    }
  | { readonly type: "job.queued"; readonly queue: string; readonly job: number; readonly tenant: string }
  | {
      readonly type: "run.started";
      readonly run: number;
      readonly queue: string;
      readonly job: number;
      readonly tenant: string;
    }
  | {
      readonly type: "run.progress";
      readonly tenant: string;
      readonly run: number;
      readonly progress: number;
      readonly message?: string | undefined;
    }
  | {
      readonly type: "run.finished";
      readonly run: number;
      readonly queue: string;
      readonly outcome: string;
      readonly tenant: string;
    };

/** Takes events of what has been committed. Publishing never fails and never waits. */
export interface EventSink {
  publish(event: ServerEvent): void;
}
