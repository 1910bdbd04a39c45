import { type Logger, pino } from "pino";
import type { Config } from "../config.ts";

/** The log of a process: JSON lines on standard error, so that standard output is left for what people asked for. */
export function createLog(config: Pick<Config, "logLevel" | "loggingFile">): Logger {
  return pino(
    { ...config.loggingFile?.options, level: config.logLevel },
    pino.destination({ dest: 2, sync: false }),
  );
}
