import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv } from "ajv";
import { type Static, Type } from "typebox";
import { InvalidValue, type Kind } from "./setting.ts";

const url = Type.String({ pattern: "^https?://[^/]+/.*" });
/** `https://…` is redirected to; `text,status` answers with both; any other text is the page. */
const page = Type.Optional(Type.String({ maxLength: 100_000 }));
const text = Type.Optional(Type.String({ maxLength: 10_000 }));

/** A service, with the names that it has in a configuration of the CANARIE Service Gateway. */
const Service = Type.Object(
  {
    /** The queue of its workers. */
    celery_queue_name: Type.String({
      minLength: 1,
      maxLength: 200,
      pattern: "^[^/\\u0000-\\u001f\\u007f]+$",
    }),
    /** What its jobs are called. */
    celery_task_name: Type.String({ minLength: 1, maxLength: 190 }),
    /** Who serves it: `remote`, workers that take their jobs over HTTP, or `celery`, workers of Celery. Default: remote */
    transport: Type.Optional(Type.Enum(["remote", "celery"])),
    /** Whether the `callback_url` of a request is called when that has ended. Default: true, but not for workers of Celery */
    callbacks: Type.Optional(Type.Boolean()),
    /** Seconds without a word of a task of Celery after which it is given up. Default: 86400 */
    time_limit: Type.Optional(Type.Number({ minimum: 1, maximum: 31_536_000 })),
    route_keyword: text,
    version: text,
    noparams: Type.Optional(Type.Boolean()),
    rubber_params: Type.Optional(
      Type.Object({
        spawn_ratio: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10 })),
        /** Jobs that a worker does at the same time. Default: 1 */
        concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      }),
    ),
    name: text,
    synopsis: text,
    institution: text,
    releaseTime: text,
    supportEmail: text,
    category: text,
    researchSubject: text,
    tags: text,
    home: page,
    doc: page,
    releasenotes: page,
    support: page,
    source: page,
    tryme: page,
    licence: page,
    provenance: page,
  },
  { additionalProperties: true },
);

/** How workers of Celery are reached. */
const Celery = Type.Object(
  {
    BROKER_URL: Type.String(),
    /** Where results are: `rpc://`, `amqp://` (as Celery 3 has it), or `redis://…`. Default: rpc:// */
    CELERY_RESULT_BACKEND: Type.Optional(Type.String()),
    /** Of the messages: 1, which all versions of Celery read, or 2. Default: 1 */
    CELERY_TASK_PROTOCOL: Type.Optional(Type.Enum([1, 2])),
  },
  { additionalProperties: true },
);

const GatewayFile = Type.Object(
  {
    WORKER_SERVICES: Type.Record(Type.String({ pattern: "^[A-Za-z0-9_.-]{1,100}$" }), Service),
    CELERY: Type.Optional(Celery),
    CELERY_PROJ_NAME: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    GET_STORAGE_DOC_REQ_URL: Type.Optional(url),
    POST_STORAGE_DOC_REQ_URL: Type.Optional(url),
    POST_ANNOTATIONS_REQ_URL: Type.Optional(url),
    RUBBER_BACKORDER_THRESHOLD: Type.Optional(Type.Integer({ minimum: 0 })),
    RUBBER_MAX_VM_QTY: Type.Optional(Type.Integer({ minimum: 0 })),
    RUBBER_EVAL_INTERVAL: Type.Optional(Type.Number({ minimum: 1, maximum: 86_400 })),
    RUBBER_MIN_IDLE_WORKERS: Type.Optional(Type.Integer({ minimum: 0 })),
    RUBBER_SLACKER_TIME_THRESHOLD: Type.Optional(Type.Number({ minimum: 1, maximum: 86_400 })),
    /** 0 to 1: how busy workers should be. */
    SCALE_UTILISATION: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    /** Seconds in which those that wait should have been done. */
    SCALE_DRAIN_SECONDS: Type.Optional(Type.Number({ minimum: 1 })),
    /** Seconds for which fewer workers must be enough before any is released. */
    SCALE_DOWN_SECONDS: Type.Optional(Type.Number({ minimum: 1 })),
    /** A program with its arguments, run for each service that needs more or fewer workers. */
    SCALE_COMMAND: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
    /** Names of variables of our environment that it gets, beside PATH, HOME, LANG and TZ. */
    SCALE_COMMAND_ENV: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
    /** An address that is told the same; it may be a private one. */
    SCALE_WEBHOOK: Type.Optional(url),
    LOCAL_TEMPORARY_STORAGE: Type.Optional(
      Type.Object({
        size_limit_gb: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
        max_file_duration_seconds: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
      }),
    ),
  },
  { additionalProperties: true },
);

export type GatewayConfig = Static<typeof GatewayFile>;
export type CelerySettings = Static<typeof Celery>;
export type GatewayService = Static<typeof Service>;

/** A JSON file with the services of the gateway. */
export const gatewayFile: Kind<GatewayConfig> = {
  label: "the name of a JSON file with WORKER_SERVICES",
  plain: (config) => Object.keys(config.WORKER_SERVICES).join(", "),
  parse(given, { directory }) {
    const path = resolve(directory, given);
    const value = readJson(path);
    const ajv = new Ajv({ strict: false, logger: false });
    const check = ajv.compile<GatewayConfig>(GatewayFile);
    if (!check(value)) {
      throw new InvalidValue(`does not fit: ${ajv.errorsText(check.errors, { dataVar: "the file" })}`);
    }
    const needBroker = Object.entries(value.WORKER_SERVICES).find(
      ([, { transport }]) => transport === "celery",
    );
    if (needBroker !== undefined && value.CELERY === undefined) {
      throw new InvalidValue(`has no CELERY with a BROKER_URL, which the service ${needBroker[0]} needs`);
    }
    if (value.CELERY !== undefined) requireAddresses(value.CELERY);
    return value;
  },
};

/** @throws InvalidValue one of them is no address of that kind; it is named without its password */
function requireAddresses({ BROKER_URL: broker, CELERY_RESULT_BACKEND: backend }: CelerySettings): void {
  if (!isAddress(broker, ["amqp", "amqps", "pyamqp"])) {
    throw new InvalidValue(`has a CELERY.BROKER_URL that is no amqp://… or amqps://…: ${masked(broker)}`);
  }
  const isRedis = backend !== undefined && isAddress(backend, ["redis", "rediss"]) && hasHost(backend);
  // Of the others nothing but the name counts: they are at the broker.
  if (backend === undefined || isRedis || /^(?:rpc|(?:py)?amqps?)(?::\/\/|$)/.test(backend)) return;
  const kinds = "rpc://, amqp:// or redis://HOST…";
  throw new InvalidValue(`has a CELERY.CELERY_RESULT_BACKEND that is none of ${kinds}: ${masked(backend)}`);
}

function isAddress(text: string, schemes: readonly string[]): boolean {
  // Celery takes several, with semicolons between.
  const isOne = URL.canParse(text) && !new URL(text).hostname.includes(";");
  return isOne && schemes.some((scheme) => text.startsWith(`${scheme}://`));
}

function hasHost(url: string): boolean {
  return new URL(url).hostname !== "";
}

/** It need not be an address that can be read: whatever is between `://` and the last `@` goes. */
function masked(url: string): string {
  return url.replace(/:\/\/.*@/s, "://***@");
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new InvalidValue(
      `must be a JSON file that can be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}
