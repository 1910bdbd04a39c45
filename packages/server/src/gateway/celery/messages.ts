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

/** Has every worker stop a task, or not begin it. */
export function revokeMessage(id: string): Buffer {
  return toBuffer({
    method: "revoke",
    arguments: { task_id: id, terminate: true, signal: "SIGKILL" },
    destination: null,
    pattern: null,
    matcher: null,
  });
}

/** What a worker says of a task. */
export interface TaskReport {
  readonly id: string;
  /** PROGRESS, SUCCESS, FAILURE and so on; also states of the worker's own. */
  readonly status: string;
  readonly result: unknown;
}

/** @returns undefined: it is no report */
export function readReport(content: string): TaskReport | undefined {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return undefined;
  }
  const {
    task_id: id,
    status,
    result = null,
  }: { task_id?: unknown; status?: unknown; result?: unknown } = Object(value);
  return typeof id === "string" && typeof status === "string" ? { id, status, result } : undefined;
}

/** The gateway's codes, by the names of exceptions in workers. */
const codes: Readonly<Record<string, number>> = {
  TypeError: 104,
  ValueError: 105,
  OSError: 107,
  IOError: 107,
  KeyError: 108,
  TaskRevokedError: 109,
  DownloadError: 301,
  UploadError: 302,
};

/** Why a task failed, of the result of a failure: the exception's name and its text. */
export function failureIn(result: unknown): { readonly code: number; readonly message: string } {
  const { exc_type: type, exc_message: message }: { exc_type?: unknown; exc_message?: unknown } =
    Object(result);
  const text = Array.isArray(message) ? message.map(String).join(", ") : String(message ?? "");
  const name = typeof type === "string" ? type : "";
  const whole = [name, text].filter((part) => part !== "").join(": ");
  return {
    code: codes[name] ?? 101,
    message: (whole || "the worker gave no reason").replaceAll("\u0000", "").toWellFormed(),
  };
}

/** Of a PROGRESS report: 0 to 100. */
export function progressIn(result: unknown): number | undefined {
  const { current, total = 100 }: { current?: unknown; total?: unknown } = Object(result);
  return typeof current === "number" && typeof total === "number" && total > 0
    ? (100 * current) / total
    : undefined;
}

function toBuffer(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
