import type { Processor } from "../define.ts";
import { conversationStatsProcessor } from "./conversation-stats.ts";
import { jq } from "./jq.ts";
import { queueJob } from "./queue-job.ts";
import { setParameters } from "./set-parameters.ts";
import { tag } from "./tag.ts";

/** The processors that come with the server. */
export const builtin: readonly Processor[] = [conversationStatsProcessor, jq, queueJob, setParameters, tag];
