import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { InvalidValue, type Kind } from "./setting.ts";

/** A directory that exists, as an absolute path. */
export const directory: Kind<string> = {
  label: "a directory",
  plain: (path) => path,
  parse(text, surroundings) {
    const path = resolve(surroundings.directory, text);
    if (!isDirectory(path)) {
      throw new InvalidValue(`must list directories that exist, which "${text}" is not`);
    }
    return path;
  },
};

/** The name of an npm package. */
export const packageName: Kind<string> = {
  label: "the name of an npm package",
  plain: (name) => name,
  parse(text) {
    if (!/^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(text)) {
      throw new InvalidValue(`must list names of npm packages, which "${text}" is not`);
    }
    return text;
  },
};

/** What a logging file holds: pino's options, without `level`. */
export interface LoggingFile {
  /** Absolute. */
  readonly path: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export const loggingFile: Kind<LoggingFile> = {
  label: "the name of a JSON file of pino options",
  plain: (file) => file.path,
  parse(text, surroundings) {
    const path = resolve(surroundings.directory, text);
    const options = parseJson(readText(path));
    if (!isRecord(options)) throw new InvalidValue("must hold one JSON object of pino options");
    if ("level" in options) throw new InvalidValue("must not set level: LOG_LEVEL does");
    return { path, options };
  },
};

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Missing, or behind a directory that may not be entered: of no use either way.
    return false;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new InvalidValue(`must be a file that can be read: ${error instanceof Error ? error.message : ""}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidValue(`must be JSON: ${error instanceof Error ? error.message : ""}`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text such as a PEM key, given as it is or as the name of a file that holds it. */
export const readableText: Kind<string> = {
  label: "PEM text, or the name of a file that holds it",
  plain: () => "given",
  parse(text, surroundings) {
    if (text.includes("-----BEGIN")) return text.replaceAll("\\n", "\n");
    return readText(resolve(surroundings.directory, text));
  },
};

/** A file that can be read, as an absolute path. */
export const fileName: Kind<string> = {
  label: "the name of a file",
  plain: (path) => path,
  parse(text, surroundings) {
    const path = resolve(surroundings.directory, text);
    readText(path);
    return path;
  },
};
