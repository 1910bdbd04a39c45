/** What is sent over AMQP, as Celery has it. */
export interface TaskMessage {
  readonly content: Buffer;
  readonly properties: {
    readonly contentType: "application/json";
    readonly contentEncoding: "utf-8";
    /** The broker keeps it on its disk. */
    readonly durable: true;
    readonly correlationId: string;
    readonly replyTo: string;
    readonly headers: Readonly<Record<string, unknown>>;
  };
}

export interface CeleryTask {
  readonly id: string;
  /** For example `worker.transcriber`. */
  readonly name: string;
  readonly args: readonly unknown[];
  /** The queue that results go to. */
  readonly replyTo: string;
}

/**
 * A task as a message of Celery's protocol 1 (all of it in the body, which all versions read) or 2 (today's).
 * https://docs.celeryq.dev/en/stable/internals/protocol.html
 */
export function taskMessage(task: CeleryTask, protocol: 1 | 2): TaskMessage {
  const { id, name, args, replyTo } = task;
  const properties = {
    contentType: "application/json",
    contentEncoding: "utf-8",
    durable: true,
    correlationId: id,
    replyTo,
  } as const;
  if (protocol === 1) {
    const body = {
      task: name,
      id,
      args,
      kwargs: {},
      retries: 0,
      eta: null,
      expires: null,
      utc: true,
      callbacks: null,
      errbacks: null,
      timelimit: [null, null],
      taskset: null,
      chord: null,
    };
    return { content: toBuffer(body), properties: { ...properties, headers: {} } };
  }
  const headers = {
    lang: "py",
    task: name,
    id,
    shadow: null,
    eta: null,
    expires: null,
    group: null,
    group_index: null,
    retries: 0,
    timelimit: [null, null],
    root_id: id,
    parent_id: null,
    argsrepr: "(…)",
    kwargsrepr: "{}",
    origin: "vConductor",
    ignore_result: false,
  };
  const embedded = { callbacks: null, errbacks: null, chain: null, chord: null };
  return { content: toBuffer([args, {}, embedded]), properties: { ...properties, headers } };
}

/** Has every worker stop these tasks, or not begin them. */
export function revokeMessage(ids: readonly string[]): Buffer {
  return toBuffer({
    method: "revoke",
    arguments: { task_id: ids, terminate: true, signal: "SIGKILL" },
    destination: null,
    pattern: null,
    matcher: null,
  });
}

function toBuffer(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
