/** What a worker says of a task. */
export interface TaskReport {
  readonly id: string;
  /** PROGRESS, SUCCESS, FAILURE and so on; also states of the worker's own. */
  readonly status: string;
  readonly result: unknown;
}

/** How a task has ended. */
export interface TaskAnswer {
  readonly status: "SUCCESS" | "FAILURE" | "REVOKED";
  /** Of SUCCESS what the worker answered; of FAILURE a code and a message. */
  readonly result: unknown;
}

/**
 * @param id of the task that it is said of; undefined: the report says so itself, as all do but those of Celery 3 in Redis
 * @returns undefined: it is no report
 */
export function readReport(content: string, id: string | undefined): TaskReport | undefined {
  const {
    task_id: given,
    status,
    result = null,
  }: { task_id?: unknown; status?: unknown; result?: unknown } = Object(parsed(content));
  const task = typeof given === "string" ? given : id;
  return task !== undefined && typeof status === "string" ? { id: task, status, result } : undefined;
}

/** What Python writes for JSON; undefined: that is none. */
function parsed(content: string): unknown {
  for (const text of [content, withoutNaN(content)]) {
    try {
      return JSON.parse(text);
    } catch {
      // Then it is read the other way, or not at all.
    }
  }
  return undefined;
}

/** Python has numbers that JSON has not, and writes them bare; they are null here. Strings stay as they are. */
function withoutNaN(content: string): string {
  return content.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/gs, (part) =>
    part.startsWith('"') ? part : "null",
  );
}

/** How a task has ended that this is said of; undefined: it has not. */
export function answerIn({ status, result }: TaskReport): TaskAnswer | undefined {
  if (status === "SUCCESS") return { status, result };
  if (status === "FAILURE") return { status, result: failureIn(result) };
  return status === "REVOKED" ? { status, result: null } : undefined;
}

/** The gateway's codes, by the names of exceptions in workers. */
const codes: ReadonlyMap<string, number> = new Map([
  ["NoneType", 100],
  ["Exception", 101],
  ["sqlite3.Error", 102],
  ["configparser.Error", 103],
  ["ConfigParser.Error", 103],
  ["TypeError", 104],
  ["ValueError", 105],
  ["gaierror", 106],
  ["OSError", 107],
  ["IOError", 107],
  ["KeyError", 108],
  ["TaskRevokedError", 109],
  ["SettingsException", 200],
  ["VersionException", 201],
  ["UnknownServiceError", 202],
  ["UnknownUUIDError", 203],
  ["VersionMismatchError", 204],
  ["AMQPError", 205],
  ["MissingParameterError", 206],
  ["DocumentUrlNotValidException", 207],
  ["InvalidAnnotationFormat", 300],
  ["DownloadError", 301],
  ["UploadError", 302],
  ["ConfigFileNotFound", 303],
  ["InvalidDocumentPath", 304],
  ["InvalidDocumentType", 305],
  ["RuntimeError", 306],
  ["InsufficientResources", 400],
  ["MinimumWorkersReached", 401],
  ["OverflowError", 500],
  ["NotImplementedError", 501],
  ["FFMpegError", 502],
  ["FFMpegConvertError", 503],
  ["ConverterError", 504],
  ["TranscoderError", 505],
  ["SwiftException", 506],
  ["CInternalError", 600],
  ["WavPathInvalid", 630],
  ["WavFormatInvalid", 631],
  ["WavHeaderInvalid", 632],
  ["SubprocessProblem", 633],
  ["PathInvalidError", 640],
  ["SegmentsTooLongException", 641],
  ["SubprocessError", 642],
  ["TranscriptionEmptyError", 643],
]);

/** Its text has secrets of the file store in it. */
const secretive = "SwiftException";

/** Why a task failed, of the result of a failure: the exception's name and its text. */
export function failureIn(result: unknown): { readonly code: number; readonly message: string } {
  const {
    exc_type: type,
    exc_message: message,
    exc_module: module,
  }: { exc_type?: unknown; exc_message?: unknown; exc_module?: unknown } = Object(result);
  const text = Array.isArray(message) ? message.map(String).join(", ") : String(message ?? "");
  const name = typeof type === "string" ? type : "";
  const whole = [name, name === secretive ? "" : text].filter((part) => part !== "").join(": ");
  return {
    code: codes.get(name) ?? codes.get(`${module}.${name}`) ?? 101,
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
