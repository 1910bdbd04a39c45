import type { Processor } from "../define.ts";
import { analyze } from "./analyze.ts";
import { callPipeline } from "./call-pipeline.ts";
import { condition } from "./condition.ts";
import { conversationStatsProcessor } from "./conversation-stats.ts";
import { deepgram } from "./deepgram.ts";
import { diet } from "./diet.ts";
import { expire } from "./expire.ts";
import { jq } from "./jq.ts";
import { keywords } from "./keywords.ts";
import { languageDetect } from "./language-detect.ts";
import { moveMedia } from "./move-media.ts";
import { openaiChatCompletion } from "./openai-chat-completion.ts";
import { queueJob } from "./queue-job.ts";
import { redactProcessors } from "./redact.ts";
import { sampler } from "./sampler.ts";
import { scitt } from "./scitt.ts";
import { sealProcessors } from "./seal.ts";
import { sendEmail } from "./send-email.ts";
import { sentiment } from "./sentiment.ts";
import { service } from "./service.ts";
import { setParameters } from "./set-parameters.ts";
import { slack } from "./slack.ts";
import { tag } from "./tag.ts";
import { tagRouter } from "./tag-router.ts";
import { textPiiRedactor } from "./text-pii-redactor.ts";
import { transcribe } from "./transcribe.ts";
import { validate } from "./validate.ts";
import { webhook } from "./webhook.ts";
import { whisperBase } from "./whisper-base.ts";

/** The processors that come with the server, by what they are for. */
export const builtin: readonly Processor[] = [
  transcribe,
  deepgram,
  whisperBase,
  analyze,
  openaiChatCompletion,
  conversationStatsProcessor,
  languageDetect,
  sentiment,
  keywords,
  tag,
  jq,
  setParameters,
  condition,
  sampler,
  callPipeline,
  queueJob,
  service,
  tagRouter,
  sendEmail,
  slack,
  webhook,
  validate,
  expire,
  diet,
  moveMedia,
  ...redactProcessors,
  textPiiRedactor,
  ...sealProcessors,
  scitt,
];
