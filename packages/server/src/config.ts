import { availableParallelism } from "node:os";
import { faceUrls } from "./config/face-settings.ts";
import { providerSettings, secretSettings } from "./config/provider-settings.ts";
import {
  type Environment,
  InvalidValue,
  type Plain,
  type Setting,
  type Surroundings,
} from "./config/setting.ts";
import { settings } from "./config/settings.ts";
import { readTlsPair } from "./config/tls.ts";
import { schemes } from "./database/schemes.ts";

type Settings = typeof settings;
type Values = {
  readonly [Name in keyof Settings]: Settings[Name] extends Setting<infer Value> ? Value : never;
};

/** Every setting in force, checked. Frozen at every depth. */
export interface Config extends Omit<Values, "access"> {
  /** Whether callers must say who they are. */
  readonly access: "on" | "off";
  /**
   * Secrets by name, for `secret(name)` of a processor: the environment, less the settings of the server itself (a
   * pipeline must not be able to send the database's password anywhere). Entries do not show in logs, in
   * `JSON.stringify` or in a listing; they can only be asked for by name.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For `setting(name)` of a processor: the settings of providers that are no secrets, as text. */
  readonly provider: Readonly<Record<string, string | undefined>>;
  /** The settings for display: nothing in it is secret. */
  readonly inForce: readonly SettingInForce[];
}

export interface SettingInForce {
  readonly variable: string;
  readonly group: string;
  /** Masked, if it is a secret or holds a password. */
  readonly value: Plain;
  readonly from: "environment" | "default";
}

export interface ConfigProblem {
  readonly variable: string;
  /** As it was given; masked, if it is a secret or holds a password. */
  readonly value: string;
  /** What would be valid. Reads as a sentence after the variable's name. */
  readonly message: string;
}

/** Everything that is wrong with the settings, in the order of the documentation. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(
      problems
        .map(({ variable, value, message }) => `${variable}=${JSON.stringify(value)} ${message}`)
        .join("; "),
    );
    this.problems = problems;
  }
}

/** The documentation of one setting. */
export interface SettingDescription {
  readonly variable: string;
  readonly group: string;
  /** What is valid, as a noun phrase. */
  readonly type: string;
  readonly default: string;
  /** What it is for, ending in "Default: …." */
  readonly meaning: string;
}

const allSettings: readonly Setting<unknown>[] = [
  ...Object.values(settings),
  ...providerSettings,
  ...secretSettings,
];

/** Every setting, for its documentation. */
export const documentedSettings: readonly SettingDescription[] = allSettings;

export interface ReadConfigOptions {
  /** URL schemes that stores are bound to, without the colon. Default: all of `database/schemes.ts` */
  readonly schemes?: readonly string[];
  /** What relative paths are relative to. Default: the working directory */
  readonly directory?: string;
  /** Processor cores. Default: those of this machine */
  readonly cores?: number;
}

/**
 * Reads and checks every setting. An empty variable counts as not set, unless its documentation says otherwise.
 * @throws ConfigError naming every bad setting at once
 */
export function readConfig(env: Environment, options: ReadConfigOptions = {}): Config {
  const surroundings: Surroundings = {
    directory: options.directory ?? process.cwd(),
    cores: options.cores ?? availableParallelism(),
    schemes: options.schemes ?? schemes,
    variables: documentedSettings.map((entry) => entry.variable),
  };
  const problems = findProblems(env, surroundings);
  if (problems.length > 0) throw new ConfigError(problems);
  const read = <Value>(setting: Setting<Value>): Value => setting.read(env, surroundings);
  return deepFreeze({
    storageUrl: read(settings.storageUrl),
    queueUrl: read(settings.queueUrl),
    pipelineUrl: read(settings.pipelineUrl),
    stateUrl: read(settings.stateUrl),
    databasePoolSize: read(settings.databasePoolSize),
    migrate: read(settings.migrate),
    rest: read(settings.rest),
    tlsCertificate: read(settings.tlsCertificate),
    tlsKey: read(settings.tlsKey),
    headersTimeoutSeconds: read(settings.headersTimeoutSeconds),
    requestTimeoutSeconds: read(settings.requestTimeoutSeconds),
    launchVconApi: read(settings.launchVconApi),
    launchAdminApi: read(settings.launchAdminApi),
    restApiWorkers: read(settings.restApiWorkers),
    corsOrigins: read(settings.corsOrigins),
    trustProxy: read(settings.trustProxy),
    maxBodyBytes: read(settings.maxBodyBytes),
    maxNesting: read(settings.maxNesting),
    faces: read(settings.faces),
    sisyphusUrl: read(settings.sisyphusUrl),
    porchUrl: read(settings.porchUrl),
    gatewayUrl: read(settings.gatewayUrl),
    gateway: read(settings.gateway),
    gatewayJwtKey: read(settings.gatewayJwtKey),
    gatewayJwtAudience: read(settings.gatewayJwtAudience),
    gatewayJwtAlgorithm: read(settings.gatewayJwtAlgorithm),
    gatewayFiles: read(settings.gatewayFiles),
    clientExpirySeconds: read(settings.clientExpirySeconds),
    access: accessIn(env, surroundings),
    jwtSecret: read(settings.jwtSecret),
    jwtPublicKey: read(settings.jwtPublicKey),
    jwtJwksUrl: read(settings.jwtJwksUrl),
    oidcIssuer: read(settings.oidcIssuer),
    jwtAlgorithms: read(settings.jwtAlgorithms),
    jwtIssuer: read(settings.jwtIssuer),
    jwtAudience: read(settings.jwtAudience),
    jwtRolesClaim: read(settings.jwtRolesClaim),
    jwtRoleMap: read(settings.jwtRoleMap),
    jwtTenantClaim: read(settings.jwtTenantClaim),
    jwtGroupsClaim: read(settings.jwtGroupsClaim),
    roles: read(settings.roles),
    authFailures: read(settings.authFailures),
    rateLimit: read(settings.rateLimit),
    addressRateLimit: read(settings.addressRateLimit),
    audit: read(settings.audit),
    runBackgroundJobs: read(settings.runBackgroundJobs),
    workers: read(settings.workers),
    workerConcurrency: read(settings.workerConcurrency),
    workQueues: read(settings.workQueues),
    leaseSeconds: read(settings.leaseSeconds),
    crashLimit: read(settings.crashLimit),
    stopGraceSeconds: read(settings.stopGraceSeconds),
    pollSeconds: read(settings.pollSeconds),
    runRetentionDays: read(settings.runRetentionDays),
    mediaStore: read(settings.mediaStore),
    mediaUrl: read(settings.mediaUrl),
    mediaS3Endpoint: read(settings.mediaS3Endpoint),
    mediaS3Region: read(settings.mediaS3Region),
    mediaS3AccessKeyId: read(settings.mediaS3AccessKeyId),
    mediaS3SecretAccessKey: read(settings.mediaS3SecretAccessKey),
    pluginPaths: read(settings.pluginPaths),
    pluginPackages: read(settings.pluginPackages),
    fetchAllow: read(settings.fetchAllow),
    jqTimeoutSeconds: read(settings.jqTimeoutSeconds),
    modelPrices: read(settings.modelPrices),
    logLevel: read(settings.logLevel),
    loggingFile: read(settings.loggingFile),
    stateSettings: read(settings.stateSettings),
    env: secretsOf(env),
    provider: Object.fromEntries(
      providerSettings.map((entry) => [entry.variable, plainText(entry.read(env, surroundings))]),
    ),
    inForce: allSettings.map((entry) => ({
      variable: entry.variable,
      group: entry.group,
      value: entry.plain(env, surroundings),
      from: entry.isSet(env) ? "environment" : "default",
    })),
  });
}

/** The values for the server's state record: the settings that `STATE_SETTINGS` names, masked. */
export function configAsState(config: Config): Readonly<Record<string, Plain>> {
  const shown = config.inForce.filter((entry) => config.stateSettings.includes(entry.variable));
  return Object.fromEntries(shown.map((entry) => [entry.variable, entry.value]));
}

function findProblems(env: Environment, surroundings: Surroundings): readonly ConfigProblem[] {
  const problems = allSettings
    .filter((entry) => entry.isSet(env))
    .flatMap((entry) => problemOf(entry, { env, surroundings }));
  const misspelt = env.QUEUE_DB__URL;
  if (misspelt !== undefined && misspelt !== "") {
    const message = "is not read; the setting is called QUEUE_DB_URL, with one underscore";
    problems.push({
      variable: "QUEUE_DB__URL",
      value: settings.queueUrl.given({ QUEUE_DB_URL: misspelt }),
      message,
    });
  }
  return [
    ...problems,
    ...exposure(env, { problems, surroundings }),
    ...missingAudience(env),
    ...sharedAddresses(env, { problems, surroundings }),
    ...missingKeys(env, { problems, surroundings }),
    ...missingClaims(env),
    ...unfitTls(env, { problems, surroundings }),
  ];
}

interface Given {
  readonly env: Environment;
  readonly surroundings: Surroundings;
}

function problemOf(entry: Setting<unknown>, { env, surroundings }: Given): ConfigProblem[] {
  try {
    entry.read(env, surroundings);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    return [{ variable: entry.variable, value: entry.given(env), message: error.message }];
  }
}

/** With the keys of somebody who signs JWTs, access control is meant, unless the operator says otherwise. */
function accessIn(env: Environment, surroundings: Surroundings): "on" | "off" {
  const given = settings.access.read(env, surroundings);
  return given ?? (jwtSources.some((source) => source.isSet(env)) ? "on" : "off");
}

const jwtSources = [settings.jwtSecret, settings.jwtPublicKey, settings.jwtJwksUrl, settings.oidcIssuer];

/** Whoever signs JWTs signs them for others too: what they are for has to be said. */
function missingClaims(env: Environment): readonly ConfigProblem[] {
  const given = jwtSources.filter((source) => source.isSet(env)).map(({ variable }) => variable);
  if (given.length === 0) return [];
  const issuer = given.some((variable) => variable !== settings.oidcIssuer.variable)
    ? [settings.jwtIssuer]
    : [];
  return [...issuer, settings.jwtAudience]
    .filter((entry) => !entry.isSet(env))
    .map(({ variable }) => ({ variable, value: "", message: `is needed with ${given.join(" and ")}` }));
}

/** Without access control, only this machine may reach the server, unless the operator says otherwise. */
function exposure(
  env: Environment,
  options: { readonly problems: readonly ConfigProblem[]; readonly surroundings: Surroundings },
): readonly ConfigProblem[] {
  const listening = [settings.rest, ...faceUrls];
  const about = [settings.access, ...listening].map(({ variable }) => variable);
  if (options.problems.some((problem) => about.includes(problem.variable))) return [];
  const open = listening.filter((entry) => entry.read(env, options.surroundings)?.loopback === false);
  if (settings.access.read(env, options.surroundings) === "off") return [];
  if (accessIn(env, options.surroundings) === "on") return [];
  const message =
    "would let other machines in without access control; use localhost, 127.0.0.1 or [::1], turn it on with ACCESS=on (docs/access.md), or set ACCESS=off to do without";
  return open.map((entry) => ({ variable: entry.variable, value: entry.given(env), message }));
}

/** Two APIs cannot be at the root of one address. */
function sharedAddresses(
  env: Environment,
  options: { readonly problems: readonly ConfigProblem[]; readonly surroundings: Surroundings },
): readonly ConfigProblem[] {
  const listening = [settings.rest, ...faceUrls];
  if (options.problems.some((problem) => listening.some(({ variable }) => variable === problem.variable)))
    return [];
  const first = new Map<string, string>();
  return listening.flatMap((entry) => {
    const address = entry.read(env, options.surroundings);
    if (address === undefined || address.port === 0) return [];
    const place = `${address.host}:${address.port}`;
    const { variable } = entry;
    const other = first.get(place);
    first.set(place, other ?? variable);
    const message = `is the address of ${other} already; give it another port, or leave it out`;
    return other === undefined ? [] : [{ variable, value: entry.given(env), message }];
  });
}

/** A JWT that is for nobody in particular would be for everybody. */
function missingAudience(env: Environment): readonly ConfigProblem[] {
  const { gatewayJwtKey, gatewayJwtAudience } = settings;
  if (!gatewayJwtKey.isSet(env) || gatewayJwtAudience.isSet(env)) return [];
  return [
    { variable: gatewayJwtAudience.variable, value: "", message: `is needed with ${gatewayJwtKey.variable}` },
  ];
}

/** A bucket needs a key, and it would be found out only when the first recording is to be kept. */
function missingKeys(
  env: Environment,
  options: { readonly problems: readonly ConfigProblem[]; readonly surroundings: Surroundings },
): readonly ConfigProblem[] {
  const { mediaStore, mediaS3AccessKeyId, mediaS3SecretAccessKey } = settings;
  if (options.problems.some((problem) => problem.variable === mediaStore.variable)) return [];
  if (mediaStore.read(env, options.surroundings).kind !== "s3") return [];
  return [mediaS3AccessKeyId, mediaS3SecretAccessKey]
    .filter((entry) => !entry.isSet(env))
    .map(({ variable }) => ({ variable, value: "", message: "is needed when MEDIA_STORE is a bucket" }));
}

/** A server that cannot prove itself is found out at its start, not by its first client. */
function unfitTls(
  env: Environment,
  options: { readonly problems: readonly ConfigProblem[]; readonly surroundings: Surroundings },
): readonly ConfigProblem[] {
  const { tlsCertificate, tlsKey, rest } = settings;
  const both = [tlsCertificate, tlsKey];
  const given = both.filter((entry) => entry.isSet(env));
  if (given.length === 0) return [];
  if (given.length === 1) {
    return both
      .filter((entry) => !entry.isSet(env))
      .map(({ variable }) => ({ variable, value: "", message: `is needed with ${given[0]?.variable}` }));
  }
  const about = [...both, rest].map(({ variable }) => variable);
  if (options.problems.some(({ variable }) => about.includes(variable))) return [];
  const certificate = tlsCertificate.read(env, options.surroundings) ?? "";
  const key = tlsKey.read(env, options.surroundings) ?? "";
  try {
    readTlsPair({ certificate, key });
  } catch (error) {
    const message = `cannot be used: ${error instanceof Error ? error.message : String(error)}`;
    return [{ variable: tlsCertificate.variable, value: tlsCertificate.given(env), message }];
  }
  if (rest.read(env, options.surroundings).protocol === "https") return [];
  return [
    {
      variable: rest.variable,
      value: rest.given(env),
      message: "must begin with https:// when TLS_CERTIFICATE is set",
    },
  ];
}

function plainText(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

function secretsOf(env: Environment): Environment {
  const own = new Set(Object.values(settings).map((entry) => entry.variable));
  const secrets: Record<string, string | undefined> = Object.create(null);
  for (const [name, value] of Object.entries(env)) {
    if (!own.has(name)) Object.defineProperty(secrets, name, { value, enumerable: false });
  }
  return secrets;
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
