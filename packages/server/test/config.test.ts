import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtInRoles } from "../src/access/roles.ts";
import { describeConfig, formatConfigError } from "../src/check.ts";
import { ConfigError, configAsState, documentedSettings, readConfig } from "../src/config.ts";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "vconductor-config-"));
  mkdirSync(join(directory, "plugins"));
  writeFileSync(join(directory, "log.json"), '{"redact":["password"]}');
  writeFileSync(join(directory, "level.json"), '{"level":"debug"}');
  writeFileSync(join(directory, "list.json"), "[]");
  writeFileSync(join(directory, "broken.json"), "{");
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const read = (env: Record<string, string>) => readConfig(env, { directory, cores: 4 });

function problemsOf(env: Record<string, string>) {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function messageOf(env: Record<string, string>): string | undefined {
  const problems = problemsOf(env);
  expect(problems.map((problem) => problem.variable)).toEqual(Object.keys(env).slice(0, 1));
  return problems[0]?.message;
}

describe("defaults", () => {
  test("an empty environment is valid", () => {
    const { env, inForce, ...values } = read({});
    expect(values).toEqual({
      storageUrl: `embedded:${join(directory, ".vconductor")}`,
      queueUrl: `embedded:${join(directory, ".vconductor")}`,
      pipelineUrl: `embedded:${join(directory, ".vconductor")}`,
      stateUrl: `embedded:${join(directory, ".vconductor")}`,
      databasePoolSize: 10,
      migrate: true,
      rest: { url: "http://localhost:8000", protocol: "http", host: "localhost", port: 8000, loopback: true },
      tlsCertificate: undefined,
      tlsKey: undefined,
      headersTimeoutSeconds: 20,
      requestTimeoutSeconds: 300,
      launchVconApi: true,
      launchAdminApi: true,
      restApiWorkers: 1,
      corsOrigins: [],
      trustProxy: false,
      maxBodyBytes: 64 * 1024 * 1024,
      maxNesting: 64,
      access: "off",
      jwtSecret: undefined,
      jwtPublicKey: undefined,
      jwtJwksUrl: undefined,
      oidcIssuer: undefined,
      jwtAlgorithms: [],
      jwtIssuer: undefined,
      jwtAudience: [],
      jwtRolesClaim: "roles",
      jwtRoleMap: new Map(),
      jwtTenantClaim: "tenant",
      jwtGroupsClaim: "groups",
      roles: new Map(Object.entries(builtInRoles)),
      authFailures: 30,
      rateLimit: 0,
      addressRateLimit: 0,
      audit: "all",
      runBackgroundJobs: true,
      workers: 3,
      workerConcurrency: 64,
      workQueues: [],
      leaseSeconds: 30,
      crashLimit: 3,
      faces: ["sisyphus", "porch", "gateway"],
      gatewayUrl: undefined,
      gateway: undefined,
      gatewayJwtKey: undefined,
      gatewayJwtAudience: "",
      gatewayJwtAlgorithm: "HS512",
      gatewayFiles: "",
      sisyphusUrl: undefined,
      porchUrl: undefined,
      clientExpirySeconds: 30,
      stopGraceSeconds: 20,
      pollSeconds: 1,
      runRetentionDays: 30,
      mediaStore: { kind: "directory", directory: join(directory, ".vconductor-media") },
      mediaUrl: undefined,
      mediaS3Endpoint: undefined,
      mediaS3Region: "us-east-1",
      mediaS3AccessKeyId: undefined,
      mediaS3SecretAccessKey: undefined,
      pluginPaths: [],
      pluginPackages: [],
      fetchAllow: [],
      jqTimeoutSeconds: 10,
      modelPrices: {},
      provider: expect.objectContaining({ PROVIDER_RETRIES: "4", SMTP_HOST: undefined }),
      logLevel: "info",
      loggingFile: undefined,
      stateSettings: [
        "REST_URL",
        "LOG_LEVEL",
        "LAUNCH_VCON_API",
        "LAUNCH_ADMIN_API",
        "NUM_RESTAPI_WORKERS",
        "PLUGIN_PATHS",
        "CORS_ORIGINS",
        "WORK_QUEUES",
      ],
    });
    expect(env).toEqual({});
    expect(inForce.every((entry) => entry.from === "default")).toBe(true);
  });

  test("every documented setting says what its default is, once", () => {
    const names = documentedSettings.map((entry) => entry.variable);
    expect(new Set(names).size).toBe(names.length);
    for (const entry of documentedSettings) expect(entry.meaning).toMatch(/\. Default: .+\.$/);
  });

  test("an empty variable counts as not set", () => {
    const empty = Object.fromEntries(
      documentedSettings.map((entry) => [
        entry.variable,
        entry.variable.startsWith("LAUNCH_") ? "true" : " ",
      ]),
    );
    const { env: _env, inForce: _inForce, ...values } = read(empty);
    const { env: _noEnv, inForce: _noInForce, ...defaults } = read({});
    expect(values).toEqual(defaults);
  });

  test("an empty LAUNCH_… turns that API off", () => {
    const config = read({ LAUNCH_VCON_API: "", LAUNCH_ADMIN_API: "" });
    expect([config.launchVconApi, config.launchAdminApi]).toEqual([false, false]);
  });
});

describe("booleans", () => {
  test.each(["true", "True", "1", "yes", "ON", "t", "Y"])("%s is true", (text) => {
    expect(read({ LAUNCH_ADMIN_API: text }).launchAdminApi).toBe(true);
  });
  test.each(["false", "False", "0", "no", "OFF", "f", "N"])("%s is false", (text) => {
    expect(read({ LAUNCH_ADMIN_API: text }).launchAdminApi).toBe(false);
  });
  test("anything else is an error", () => {
    expect(messageOf({ MIGRATE: "perhaps" })).toBe(
      "must be true or false (or yes/no, on/off, t/f, y/n, 1/0)",
    );
  });
});

describe("numbers", () => {
  test("NUM_WORKERS is the cores less one, at least 1, unless given", () => {
    const workers = (env: Record<string, string>, cores: number) => readConfig(env, { cores }).workers;
    expect([workers({}, 1), workers({}, 2), workers({}, 8)]).toEqual([1, 1, 7]);
    expect([workers({ NUM_WORKERS: "0" }, 8), workers({ NUM_WORKERS: "12" }, 8)]).toEqual([7, 12]);
  });
  test.each([
    ["NUM_WORKERS", "-1", "an integer, 0 to 1000"],
    ["NUM_WORKERS", "1.5", "an integer, 0 to 1000"],
    ["NUM_RESTAPI_WORKERS", "0", "an integer, 1 to 1000"],
    ["LEASE_SECONDS", "4", "an integer, 5 to 86400"],
    ["POLL_SECONDS", "0", "a number of seconds, more than 0, at most 3600"],
    ["POLL_SECONDS", "1e3", "a number of seconds, more than 0, at most 3600"],
    ["MAX_BODY_BYTES", "64 gigs", "a size in bytes, or with a unit (10MB, 64MiB), 1KiB to 500MiB"],
    ["MAX_BODY_BYTES", "1GiB", "a size in bytes, or with a unit (10MB, 64MiB), 1KiB to 500MiB"],
  ])("%s=%s is refused", (variable, text, valid) => {
    expect(messageOf({ [variable]: text })).toBe(`must be ${valid}`);
  });
  test("fractions of a second and units of size are understood", () => {
    expect(read({ POLL_SECONDS: "0.25" }).pollSeconds).toBe(0.25);
    const sizes = ["2048", "10MB", "64 MiB", "1.5kib"].map(
      (text) => read({ MAX_BODY_BYTES: text }).maxBodyBytes,
    );
    expect(sizes).toEqual([2048, 10_000_000, 67_108_864, 1536]);
  });
});

describe("databases", () => {
  test("the others are where the vCons are, unless named", () => {
    const config = read({ VCON_STORAGE_URL: "postgres://db/a", STATE_DB_URL: "postgresql://db/b" });
    expect([config.storageUrl, config.queueUrl, config.pipelineUrl, config.stateUrl]).toEqual([
      "postgres://db/a",
      "postgres://db/a",
      "postgres://db/a",
      "postgresql://db/b",
    ]);
  });
  test("two spellings of one embedded directory are the same database", () => {
    const config = read({ VCON_STORAGE_URL: "embedded:data/../x", QUEUE_DB_URL: "embedded:./x" });
    expect(config.queueUrl).toBe(config.storageUrl);
  });
  test("an unknown scheme lists the known ones, and Redis has a hint", () => {
    expect(messageOf({ VCON_STORAGE_URL: "mysql://db" })).toBe(
      "has the unknown scheme mysql: (known: embedded:, postgres:, postgresql:)",
    );
    expect(messageOf({ QUEUE_DB_URL: "redis://localhost" })).toContain("vConductor stores in PostgreSQL");
  });
  test("a bound scheme is known", () => {
    const config = readConfig({ VCON_STORAGE_URL: "memory:x" }, { schemes: ["embedded", "memory"] });
    expect(config.queueUrl).toBe("memory:x");
  });
  test.each(["localhost", "embedded:", "postgres:db", "postgres://u:p@ss:word@[db"])(
    "%s is refused",
    (text) => {
      expect(problemsOf({ VCON_STORAGE_URL: text }).map((problem) => problem.variable)).toEqual([
        "VCON_STORAGE_URL",
      ]);
    },
  );
  test("the reference server's misspelling is pointed out, not passed over", () => {
    expect(messageOf({ QUEUE_DB__URL: "postgres://u:hush@db" })).toContain(
      "QUEUE_DB_URL, with one underscore",
    );
    expect(inspect(problemsOf({ QUEUE_DB__URL: "postgres://u:hush@db" }))).not.toContain("hush");
  });
});

describe("REST_URL and ACCESS", () => {
  test.each([
    ["http://127.0.0.1:0", "127.0.0.1", 0],
    ["http://[::1]:9000/", "::1", 9000],
    ["https://localhost", "localhost", 443],
    ["http://localhost:80", "localhost", 80],
  ])("%s is this machine only", (text, host, port) => {
    expect(read({ REST_URL: text }).rest).toMatchObject({ host, port, loopback: true });
  });
  test.each([
    "http://0.0.0.0:8000",
    "http://[::]:8000",
    "http://127.0.0.1.example.com",
    "https://vcons.example.com",
  ])("%s needs ACCESS=on, or off", (text) => {
    expect(messageOf({ REST_URL: text })).toContain("turn it on with ACCESS=on");
    expect(read({ REST_URL: text, ACCESS: "on" }).access).toBe("on");
    expect(read({ REST_URL: text, ACCESS: "Off" }).rest.loopback).toBe(false);
  });
  test.each([
    "localhost:8000",
    "ftp://localhost",
    "http:localhost",
    "http://localhost/api",
    "http://u:p@localhost",
  ])("%s is refused", (text) => {
    expect(messageOf({ REST_URL: text })).toMatch(/^must /);
  });
});

describe("lists", () => {
  test("WORK_QUEUES: weights, blanks, missing weights", () => {
    const text = "A:4, DDD : 5 ,C:1,E:,F,,G:0";
    expect(read({ WORK_QUEUES: text }).workQueues).toEqual([
      { name: "A", weight: 4 },
      { name: "DDD", weight: 5 },
      { name: "C", weight: 1 },
      { name: "E", weight: 1 },
      { name: "F", weight: 1 },
      { name: "G", weight: 0 },
    ]);
  });
  test.each([
    ["a:b", 'has the weight "b" for "a"'],
    ["a:-1", 'has the weight "-1" for "a"'],
    ["a:1:2", "has more than one colon"],
    [":3", "has no valid queue name"],
    ["a/b", "has no valid queue name"],
    ["a:1,b,a:2", 'names the queue "a" twice'],
    ["x".repeat(201), "has no valid queue name"],
  ])("WORK_QUEUES=%s is refused", (text, message) => {
    expect(messageOf({ WORK_QUEUES: text })).toContain(message);
  });
  test("any list of valid names and weights comes back", () => {
    const name = fc
      .stringMatching(/^[^/:,\p{Cc}\s][^/:,\p{Cc}]{0,50}$/u)
      .filter((text) => text === text.trim());
    const queues = fc.uniqueArray(fc.record({ name, weight: fc.nat() }), { selector: (queue) => queue.name });
    fc.assert(
      fc.property(queues, (given) => {
        const text = given.map((queue) => `${queue.name}:${queue.weight}`).join(", ");
        expect(read({ WORK_QUEUES: text }).workQueues).toEqual(given);
      }),
    );
  });
  test("CORS_ORIGINS: comma with or without a blank", () => {
    const origins = ["https://a.example:8443", "http://b.example"];
    expect(read({ CORS_ORIGINS: origins.join(",") }).corsOrigins).toEqual(origins);
    expect(read({ CORS_ORIGINS: origins.join("/, ") }).corsOrigins).toEqual(origins);
    expect(messageOf({ CORS_ORIGINS: "a.example" })).toContain('which "a.example" is not');
  });
  test("PLUGIN_PATHS: directories that exist", () => {
    expect(read({ PLUGIN_PATHS: "plugins" }).pluginPaths).toEqual([join(directory, "plugins")]);
    expect(messageOf({ PLUGIN_PATHS: "plugins, nowhere" })).toContain('which "nowhere" is not');
    expect(messageOf({ PLUGIN_PATHS: "log.json" })).toContain('which "log.json" is not');
  });
  test("PLUGIN_PACKAGES: names of packages, never paths", () => {
    expect(read({ PLUGIN_PACKAGES: "a, @b/c.d" }).pluginPackages).toEqual(["a", "@b/c.d"]);
    for (const text of ["./a", "../a", "/a", "@b", "data:x"]) {
      expect(messageOf({ PLUGIN_PACKAGES: text })).toContain(`which "${text}" is not`);
    }
  });
  test("FETCH_ALLOW: hosts, with or without a port", () => {
    const hosts = ["smtp.internal", "10.0.0.7:8080", "[fd00::1]:443"];
    expect(read({ FETCH_ALLOW: hosts.join(", ").toUpperCase() }).fetchAllow).toEqual(hosts);
    for (const text of ["http://a", "a:99999", "a/b", "::1"]) {
      expect(messageOf({ FETCH_ALLOW: text })).toContain(`which "${text}" is not`);
    }
  });
  test("STATE_SETTINGS: names of settings only", () => {
    expect(read({ STATE_SETTINGS: "NUM_WORKERS, LOG_LEVEL" }).stateSettings).toEqual([
      "NUM_WORKERS",
      "LOG_LEVEL",
    ]);
    expect(messageOf({ STATE_SETTINGS: "NUM_WORKERS,PATH" })).toBe("names what is no setting: PATH");
  });
});

describe("the log", () => {
  test.each([
    ["DEBUG", "debug"],
    ["Warning", "warn"],
    ["CRITICAL", "fatal"],
    ["trace", "trace"],
  ])("LOG_LEVEL=%s is %s", (text, level) => {
    expect(read({ LOG_LEVEL: text }).logLevel).toBe(level);
  });
  test.each(["loud", "constructor", "__proto__"])("LOG_LEVEL=%s is refused", (text) => {
    expect(messageOf({ LOG_LEVEL: text })).toMatch(/^must be one of trace, debug, info, warn,/);
  });
  test("LOGGING_CONFIG_FILE holds pino options", () => {
    expect(read({ LOGGING_CONFIG_FILE: "log.json" }).loggingFile?.options).toEqual({ redact: ["password"] });
  });
  test.each([
    ["missing.json", "must be a file that can be read"],
    ["broken.json", "must be JSON"],
    ["list.json", "must hold one JSON object"],
    ["level.json", "LOG_LEVEL does"],
  ])("LOGGING_CONFIG_FILE=%s is refused", (name, message) => {
    expect(messageOf({ LOGGING_CONFIG_FILE: name })).toContain(message);
  });
});

describe("mistakes", () => {
  const mistakes = {
    VCON_STORAGE_URL: "redis://user:hush@cache",
    REST_URL: "here",
    NUM_WORKERS: "many",
    WORK_QUEUES: "a:b",
    LOG_LEVEL: "loud",
  };
  test("are all named at once, and one that others default to only once", () => {
    const problems = problemsOf(mistakes);
    expect(problems.map((problem) => problem.variable)).toEqual([
      "VCON_STORAGE_URL",
      "REST_URL",
      "NUM_WORKERS",
      "WORK_QUEUES",
      "LOG_LEVEL",
    ]);
    expect(problems.map((problem) => problem.value)).toEqual([
      "redis://user:***@cache",
      "here",
      "many",
      "a:b",
      "loud",
    ]);
  });
  test("are a line each for the terminal", () => {
    const text = formatConfigError(new ConfigError(problemsOf(mistakes)));
    expect(text.split("\n")).toHaveLength(7);
    expect(text).toMatch(
      /^5 settings are not valid:\n {2}VCON_STORAGE_URL="redis:\/\/user:\*\*\*@cache" has/,
    );
    expect(text).toContain('NUM_WORKERS="many" must be an integer, 0 to 1000');
  });
  test("no text makes it throw anything else", () => {
    const variable = fc.constantFrom(...documentedSettings.map((entry) => entry.variable));
    fc.assert(
      fc.property(fc.dictionary(variable, fc.string({ unit: "binary" })), (env) => {
        problemsOf(env);
      }),
    );
  });
});

describe("secrets", () => {
  const env = {
    OPENAI_API_KEY: "hush-key",
    VCON_STORAGE_URL: "postgres://app:hush@db:5432/vcons?password=hush&sslmode=require",
    QUEUE_DB_URL: "postgres://app:hu@sh@db/jobs",
    OTHER_SECRET: "hush-other",
    STATE_SETTINGS: "OPENAI_API_KEY,DEEPGRAM_KEY,VCON_STORAGE_URL,QUEUE_DB_URL,NUM_WORKERS,WORK_QUEUES",
    WORK_QUEUES: "a:2,b",
  };
  test("are there by name", () => {
    const config = read(env);
    expect(config.env.OPENAI_API_KEY).toBe("hush-key");
    expect({ ...config }.env.OTHER_SECRET).toBe("hush-other");
    expect(config.env.DEEPGRAM_KEY).toBeUndefined();
    expect(config.env.constructor).toBeUndefined();
    expect(config.env.VCON_STORAGE_URL).toBeUndefined();
  });
  test("show nowhere else", () => {
    const { storageUrl, queueUrl, pipelineUrl, stateUrl, ...rest } = read(env);
    expect([storageUrl, queueUrl, pipelineUrl, stateUrl].every((url) => url.includes("hu"))).toBe(true);
    expect(JSON.stringify(rest) + inspect(rest, { depth: 9 })).not.toMatch(/hush|hu@/);
    expect(describeConfig(read(env))).not.toMatch(/hush|hu@sh/);
  });
  test("are masked in the server's state", () => {
    expect(configAsState(read(env))).toEqual({
      OPENAI_API_KEY: "***",
      DEEPGRAM_KEY: null,
      VCON_STORAGE_URL: "postgres://app:***@db:5432/vcons?password=***&sslmode=require",
      QUEUE_DB_URL: "postgres://app:***@db/jobs",
      NUM_WORKERS: 3,
      WORK_QUEUES: { a: { weight: 2 }, b: { weight: 1 } },
    });
  });
  test.each([
    ["db?pass%77ord=hush&PASSWORD=hush", "db?pass%77ord=***&PASSWORD=***"],
    ["db?user=app&passfile=/hush&sslpassword=hush", "db?user=app&passfile=***&sslpassword=***"],
    ["db?options=-c%20my.key%3Dhush&application_name=app", "db?options=***&application_name=app"],
    ["db?sslmode=require;password=hush&hush", "db?sslmode=***&***"],
    ["db#password=hush", "db#***"],
    ["db#?x=hush", "db#***"],
  ])("in a URL are what is not known to be none: %s", (given, shown) => {
    const url = `postgres://app:hush@db/${given}`;
    const masked = { QUEUE_DB_URL: `postgres://app:***@db/${shown}` };
    expect(configAsState(read({ QUEUE_DB_URL: url, STATE_SETTINGS: "QUEUE_DB_URL" }))).toEqual(masked);
  });
});

test("the configuration is frozen at every depth", () => {
  const config = read({ WORK_QUEUES: "a", LOGGING_CONFIG_FILE: "log.json" });
  const parts: readonly unknown[] = [
    config,
    config.env,
    config.inForce,
    config.rest,
    config.workQueues[0],
    config.loggingFile?.options.redact,
  ];
  expect(parts.map((part) => Object.isFrozen(part))).toEqual(parts.map(() => true));
});

test("the table of settings in force says where each came from", () => {
  const text = describeConfig(read({ NUM_WORKERS: "2", WORK_QUEUES: "a:2" }));
  expect(text).toMatch(/^Databases\n {2}VCON_STORAGE_URL +default {6}embedded:\//);
  expect(text).toMatch(/\n {2}NUM_WORKERS +environment {2}2\n/);
  expect(text).toMatch(/\n {2}WORK_QUEUES +environment {2}\{"a":\{"weight":2\}\}\n/);
  expect(text).toMatch(/\n {2}CORS_ORIGINS +default {6}-\n/);
  for (const entry of documentedSettings) expect(text).toContain(`\n  ${entry.variable} `);
});
