import { accessSettings } from "./access-settings.ts";
import { absoluteUrl, databaseUrl, hostAndPort, listenAddress, webOrigin } from "./addresses.ts";
import { faceSettings } from "./face-settings.ts";
import { directory, fileName, loggingFile, packageName } from "./files.ts";
import {
  boolean,
  bytes,
  choice,
  integer,
  list,
  optional,
  seconds,
  secret,
  splitList,
  text,
} from "./kinds.ts";
import { mediaPlace } from "./media.ts";
import { modelPrices } from "./prices.ts";
import { weightedQueues } from "./queues.ts";
import { InvalidValue, type Kind, setting } from "./setting.ts";

const settingNames: Kind<readonly string[]> = {
  label: "a list of setting names, separated by commas",
  plain: (names) => names,
  parse(text, { variables }) {
    const names = splitList(text);
    const unknown = names.filter((name) => !variables.includes(name));
    if (unknown.length > 0) throw new InvalidValue(`names what is no setting: ${unknown.join(", ")}`);
    return names;
  },
};

const logLevels = choice({
  trace: "trace",
  debug: "debug",
  info: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  critical: "fatal",
  fatal: "fatal",
  silent: "silent",
});

/** Counted from the server outwards. */
const proxies: Kind<number | false> = {
  label: "off, on (one proxy), or the number of proxies",
  plain: (count) => count,
  parse(given, surroundings) {
    if (/^\d{1,2}$/.test(given) && Number(given) > 1) return Number(given);
    return boolean.parse(given, surroundings) ? 1 : false;
  },
};

const mebibyte = 2 ** 20;

// The other database settings default to this one.
const storageUrl = setting({
  variable: "VCON_STORAGE_URL",
  group: "Databases",
  kind: databaseUrl,
  default: "embedded:.vconductor",
  meaning:
    "Where vCons are stored. embedded:DIRECTORY runs a PostgreSQL of the server's own with its data there (relative to the working directory); postgres://… uses a given one.",
});

/**
 * Every setting, but for those of providers (`provider-settings.ts`). The names of the reference server are kept, with the meaning
 * that its documentation gives them.
 */
export const settings = {
  storageUrl,
  queueUrl: setting({
    variable: "QUEUE_DB_URL",
    group: "Databases",
    kind: databaseUrl,
    default: storageUrl,
    meaning:
      "Where queues, jobs and runs are stored. In the same database as the vCons, a job's vCon changes and its end commit in one transaction.",
  }),
  pipelineUrl: setting({
    variable: "PIPELINE_DB_URL",
    group: "Databases",
    kind: databaseUrl,
    default: storageUrl,
    meaning: "Where pipeline definitions are stored.",
  }),
  stateUrl: setting({
    variable: "STATE_DB_URL",
    group: "Databases",
    kind: databaseUrl,
    default: storageUrl,
    meaning: "Where servers register themselves and the queues that they tend.",
  }),
  databasePoolSize: setting({
    variable: "DATABASE_POOL_SIZE",
    group: "Databases",
    kind: integer({ min: 2, max: 1000 }),
    default: "10",
    meaning: "The most connections that each process opens to a database.",
  }),
  migrate: setting({
    variable: "MIGRATE",
    group: "Databases",
    kind: boolean,
    default: "on",
    meaning:
      "Whether the server brings the database schema up to date when it starts. When off, it refuses to start on an old schema; run `vconductor migrate` first.",
  }),

  rest: setting({
    variable: "REST_URL",
    group: "API",
    kind: listenAddress,
    default: "http://localhost:8000",
    meaning:
      "The address that the API listens on, which is also the server's name in `/servers`. With https://, either TLS_CERTIFICATE and TLS_KEY are set, or a proxy in front has them.",
  }),
  tlsCertificate: setting({
    variable: "TLS_CERTIFICATE",
    group: "API",
    kind: optional(fileName),
    default: "",
    defaultMeans: "none: the API speaks plain HTTP",
    meaning:
      "The file with the server's certificate and those that certify it, PEM. It is read anew when it changes.",
  }),
  tlsKey: setting({
    variable: "TLS_KEY",
    group: "API",
    kind: optional(fileName),
    default: "",
    defaultMeans: "none",
    meaning: "The file with the private key of TLS_CERTIFICATE, PEM. It is read anew when it changes.",
  }),
  headersTimeoutSeconds: setting({
    variable: "HEADERS_TIMEOUT_SECONDS",
    group: "API",
    kind: seconds(3600),
    default: "20",
    meaning: "How long a client may take to send the headers of a request; then its connection is closed.",
  }),
  requestTimeoutSeconds: setting({
    variable: "REQUEST_TIMEOUT_SECONDS",
    group: "API",
    kind: seconds(86_400),
    default: "300",
    meaning:
      "How long a client may take to send a request, body included; then it is answered with 408. Answers may take longer.",
  }),
  launchVconApi: setting({
    variable: "LAUNCH_VCON_API",
    group: "API",
    kind: boolean,
    default: "true",
    empty: "false",
    meaning:
      "Whether to serve the vCon API (vCons, processors, running pipelines). An empty value turns it off, as on the reference server.",
  }),
  launchAdminApi: setting({
    variable: "LAUNCH_ADMIN_API",
    group: "API",
    kind: boolean,
    default: "true",
    empty: "false",
    meaning:
      "Whether to serve the admin API (servers, queues, jobs, runs, pipelines). An empty value turns it off, as on the reference server.",
  }),
  restApiWorkers: setting({
    variable: "NUM_RESTAPI_WORKERS",
    group: "API",
    kind: integer({ min: 1, max: 1000 }),
    default: "1",
    meaning: "How many processes serve the API.",
  }),
  corsOrigins: setting({
    variable: "CORS_ORIGINS",
    group: "API",
    kind: list(webOrigin, "a list of web origins (https://host:port) or *, separated by commas"),
    default: "",
    defaultMeans: "none",
    meaning: "The web pages' origins that may call the API from a browser.",
  }),
  trustProxy: setting({
    variable: "TRUST_PROXY",
    group: "API",
    kind: proxies,
    default: "off",
    meaning:
      "Whether to believe the X-Forwarded-* headers, and of how many proxies, one behind the other: `on` is 1, the nearest. The address of a caller is what the last of them says; what came before may be made up.",
  }),
  maxBodyBytes: setting({
    variable: "MAX_BODY_BYTES",
    group: "API",
    kind: bytes({ min: 1024, max: 500 * mebibyte, words: "1KiB to 500MiB" }),
    default: "64MiB",
    meaning: "The largest request body; a larger one is answered with 413.",
  }),
  maxNesting: setting({
    variable: "MAX_NESTING",
    group: "API",
    kind: integer({ min: 8, max: 1000 }),
    default: "64",
    meaning: "How deep the JSON of a body may nest; a deeper one is answered with 422.",
  }),

  ...accessSettings,
  ...faceSettings,

  runBackgroundJobs: setting({
    variable: "RUN_BACKGROUND_JOBS",
    group: "Jobs and workers",
    kind: boolean,
    default: "true",
    meaning: "Whether this server runs queued jobs. When off, it only serves the API.",
  }),
  workers: setting({
    variable: "NUM_WORKERS",
    group: "Jobs and workers",
    kind: workerCount(),
    default: "0",
    defaultMeans: "0, which stands for the number of processor cores less one, at least 1",
    meaning: "How many pipeline workers (processes) run jobs.",
  }),
  workerConcurrency: setting({
    variable: "WORKER_CONCURRENCY",
    group: "Jobs and workers",
    kind: integer({ min: 1, max: 1000 }),
    default: "64",
    meaning:
      "How many runs each pipeline worker has under way at once. Each holds its vCons in memory: choose fewer for very large ones.",
  }),
  workQueues: setting({
    variable: "WORK_QUEUES",
    group: "Jobs and workers",
    kind: weightedQueues,
    default: "",
    defaultMeans: "none",
    meaning:
      "The queues that this server tends from its start, with their weights (a missing one is 1): `a:1,b:4,c:2` is tended in the order a b b b b c c. `/server/queue` changes them while it runs.",
  }),
  leaseSeconds: setting({
    variable: "LEASE_SECONDS",
    group: "Jobs and workers",
    kind: integer({ min: 5, max: 86_400 }),
    default: "30",
    meaning:
      "How long, in seconds, a run stays with a worker that sends no heartbeat. After that its job goes back to its queue.",
  }),
  crashLimit: setting({
    variable: "CRASH_LIMIT",
    group: "Jobs and workers",
    kind: integer({ min: 1, max: 1000 }),
    default: "3",
    meaning: "How many workers a job may take down before it counts as failed.",
  }),
  stopGraceSeconds: setting({
    variable: "STOP_GRACE_SECONDS",
    group: "Jobs and workers",
    kind: seconds(86_400),
    default: "20",
    meaning:
      "How long a server that is told to stop lets its runs go on. What has not ended by then goes back to its queue.",
  }),
  pollSeconds: setting({
    variable: "POLL_SECONDS",
    group: "Jobs and workers",
    kind: seconds(3600),
    default: "1",
    meaning:
      "How often an idle worker looks for jobs although nothing woke it. New jobs normally wake it at once.",
  }),
  runRetentionDays: setting({
    variable: "RUN_RETENTION_DAYS",
    group: "Jobs and workers",
    kind: integer({ min: 1, max: 36_500 }),
    default: "30",
    meaning:
      "How many days finished runs are kept in the history, and with them what remote workers and other systems' jobs left.",
  }),

  mediaStore: setting({
    variable: "MEDIA_STORE",
    group: "Media",
    kind: mediaPlace,
    default: "directory:.vconductor-media",
    meaning:
      "Where recordings and files that `move_media` takes out of vCons are kept, and large results of remote workers: a directory (relative to the working directory) that all servers share, or a bucket of Amazon S3 or a compatible service.",
  }),
  mediaUrl: setting({
    variable: "MEDIA_URL",
    group: "Media",
    kind: optional(absoluteUrl),
    default: "",
    defaultMeans: "REST_URL with /media",
    meaning:
      "The address of `GET /media` for those who read vCons. It becomes part of them: choose one that stays, and https for readers elsewhere.",
  }),
  mediaS3Endpoint: setting({
    variable: "MEDIA_S3_ENDPOINT",
    group: "Media",
    kind: optional(absoluteUrl),
    default: "",
    defaultMeans: "Amazon's, of the region",
    meaning: "The address of an S3-compatible service.",
  }),
  mediaS3Region: setting({
    variable: "MEDIA_S3_REGION",
    group: "Media",
    kind: text,
    default: "us-east-1",
    meaning: "The region of the bucket.",
  }),
  mediaS3AccessKeyId: setting({
    variable: "MEDIA_S3_ACCESS_KEY_ID",
    group: "Media",
    kind: optional(secret),
    default: "",
    defaultMeans: "none",
    meaning: "The key's id for the bucket. No processor can read it.",
  }),
  mediaS3SecretAccessKey: setting({
    variable: "MEDIA_S3_SECRET_ACCESS_KEY",
    group: "Media",
    kind: optional(secret),
    default: "",
    defaultMeans: "none",
    meaning: "The key for the bucket. No processor can read it.",
  }),

  pluginPaths: setting({
    variable: "PLUGIN_PATHS",
    group: "Processors",
    kind: list(directory, "a list of directories, separated by commas"),
    default: "",
    defaultMeans: "none",
    meaning: "The directories that processors of your own are loaded from at start.",
  }),
  pluginPackages: setting({
    variable: "PLUGIN_PACKAGES",
    group: "Processors",
    kind: list(packageName, "a list of npm package names, separated by commas"),
    default: "",
    defaultMeans: "none",
    meaning: "The installed npm packages that processors of your own are loaded from at start.",
  }),
  fetchAllow: setting({
    variable: "FETCH_ALLOW",
    group: "Processors",
    kind: list(hostAndPort, "a list of host or host:port, separated by commas"),
    default: "",
    defaultMeans: "none",
    meaning: "The hosts that processors may reach although their addresses are private.",
  }),
  jqTimeoutSeconds: setting({
    variable: "JQ_TIMEOUT_SECONDS",
    group: "Processors",
    kind: seconds(3600),
    default: "10",
    meaning: "How long a jq program may run before it is ended.",
  }),

  modelPrices: setting({
    variable: "MODEL_PRICES",
    group: "Processors",
    kind: modelPrices,
    default: "{}",
    defaultMeans: "the list prices that are built in",
    meaning:
      'What models cost, in US dollars per million tokens and per minute of audio: `{"openai/gpt-4o": {"input": 2.5, "output": 10}, "nova-3": {"minute": 0.0043}}`. Names are provider/model, model for every provider, or provider/* for all of its models.',
  }),

  logLevel: setting({
    variable: "LOG_LEVEL",
    group: "Logs and state",
    kind: logLevels,
    default: "info",
    meaning: "The least severity that is logged.",
  }),
  loggingFile: setting({
    variable: "LOGGING_CONFIG_FILE",
    group: "Logs and state",
    kind: optional(loggingFile),
    default: "",
    defaultMeans: "none",
    meaning: "More options for the log, as a JSON object of pino options. It must not set `level`.",
  }),
  stateSettings: setting({
    variable: "STATE_SETTINGS",
    group: "Logs and state",
    kind: settingNames,
    default:
      "REST_URL,LOG_LEVEL,LAUNCH_VCON_API,LAUNCH_ADMIN_API,NUM_RESTAPI_WORKERS,PLUGIN_PATHS,CORS_ORIGINS,WORK_QUEUES",
    meaning:
      "The settings that the server shows under `settings` in `/server/info` and `/servers`, secrets masked.",
  }),
};

function workerCount(): Kind<number> {
  const count = integer({ min: 0, max: 1000 });
  return {
    ...count,
    parse(text, surroundings) {
      const workers = count.parse(text, surroundings);
      return workers === 0 ? Math.max(1, surroundings.cores - 1) : workers;
    },
  };
}
