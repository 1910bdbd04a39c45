import type { ProcessorLog } from "../../src/processors/define.ts";

const nothing = () => {};

/** A log that nobody reads. */
export const log: ProcessorLog = { debug: nothing, info: nothing, warn: nothing, error: nothing };
