import { readFileSync } from "node:fs";
import { fromContent, isVcon, type JsonObject, readTags, toValue, type Vcon } from "@vconductor/vcon";
import { encrypt, makeTestCertificates, sign } from "@vconductor/vcon/security";
import { expect } from "vitest";
import { deepgramDouble } from "../doubles/deepgram.ts";
import { ModelScript, openAiDouble } from "../doubles/language-models.ts";
import { openAiAudioDouble } from "../doubles/openai-audio.ts";
import { slackDouble } from "../doubles/slack.ts";
import { SmtpDouble } from "../doubles/smtp-server.ts";
import { wav } from "../doubles/wav.ts";
import { webhookReceiver } from "../doubles/webhook-receiver.ts";
import type { Ran } from "../processors/run-processor.ts";
import { signingKey } from "../scitt/signing-key.ts";

/** What the example of a processor needs, and what it is to do. */
export interface Expectation {
  /** The server's environment: keys, FETCH_ALLOW, addresses of doubles of the providers. */
  readonly env?: Readonly<Record<string, string>>;
  readonly parameters?: JsonObject;
  /** Default: the sample conversation. */
  readonly vcon?: JsonObject;
  /** Over those of the example: an address that leads to a double. */
  readonly options?: object;
  /** The run is to fail with a message like this. Default: it is to succeed. */
  readonly fails?: RegExp;
  /** Asserts, with Vitest's `expect`, on what there is after a run that succeeded. */
  readonly expect?: (ran: Ran) => void | Promise<void>;
}

/**
 * By name of the processor. One whose example needs a provider is a function that starts a double of it; that is
 * stopped with Vitest's `onTestFinished`.
 */
export const expectations: Readonly<Record<string, Expectation | (() => Promise<Expectation>)>> = {
  analyze: async () => {
    const openAi = await openAiDouble(new ModelScript('{"labels": ["other"]}'), "sk-test");
    return {
      env: { FETCH_ALLOW: openAi.host, OPENAI_BASE_URL: `${openAi.url}/v1`, OPENAI_API_KEY: "sk-test" },
      expect: ({ io }) => expect(readTags(io.vcon(0))).toContain("topic:other"),
    };
  },
  call_pipeline: { fails: /there are no pipelines here/ },
  condition: { expect: ({ flow }) => expect(flow).toEqual([]) },
  conversation_stats: {
    expect: ({ io }) => expect(io.vcon(0).analysis).toMatchObject([{}, { type: "conversation_stats" }]),
  },
  create_amended: {
    expect: ({ io }) => expect(io.vcon(1)).toMatchObject({ amended: { uuid: sample().uuid } }),
  },
  deepgram: async () => {
    const deepgram = await deepgramDouble("dg-test");
    return {
      vcon: recorded(),
      env: { FETCH_ALLOW: deepgram.host, DEEPGRAM_BASE_URL: deepgram.url, DEEPGRAM_KEY: "dg-test" },
      expect: ({ io }) => {
        expect(io.vcon(0).analysis).toMatchObject([{ type: "transcript", schema: "deepgram_prerecorded" }]);
        expect(deepgram.received[0]?.path).toContain("language=de");
      },
    };
  },
  decrypt: async () => {
    const { leaf } = await certificates();
    const { jws } = await signedSample();
    const sealed = await encrypt(jws, { recipients: [leaf.certificate] });
    return {
      vcon: toValue(sealed),
      env: { DECRYPTION_KEY: leaf.key },
      expect: ({ io }) => expect(io.state(0)).toBe("unverified"),
    };
  },
  encrypt: async () => ({
    vcon: toValue((await signedSample()).jws),
    env: { RECIPIENT_CERTIFICATE: (await certificates()).leaf.certificate },
    expect: ({ io }) => expect(io.state(0)).toBe("encrypted"),
  }),
  diet: {
    vcon: recorded(),
    expect: ({ io }) => {
      const [dialog] = io.vcon(0).dialog ?? [];
      expect(dialog).not.toHaveProperty("body");
      expect(dialog).toMatchObject({ type: "recording", content_hash: expect.stringMatching(/^sha512-/) });
    },
  },
  expire: {
    expect: ({ io }) =>
      expect(io.vcon(0).attachments?.at(-1)).toMatchObject({
        purpose: "retention",
        body: { basis: "last_dialog", reason: "our retention policy" },
      }),
  },
  jq: {
    expect: ({ io }) =>
      expect(Object.fromEntries(io.parameters)).toEqual({
        turns: 1,
        subject: "Internet connection drops every evening",
      }),
  },
  jq_redaction: {
    expect: ({ io }) => {
      expect(io.vcon(0)).toEqual(sample());
      expect(io.vcon(1)).toMatchObject({
        parties: [{ name: "Maya Lindqvist" }, { name: "Daniel Okafor" }],
        redacted: { uuid: sample().uuid, type: "addresses" },
      });
    },
  },
  keywords: {
    expect: ({ io }) =>
      expect(readTags(io.vcon(0)).filter((tag) => tag.startsWith("keyword:")).length).toBe(3),
  },
  language_detect: { expect: ({ io }) => expect(io.parameters.get("language")).toBe("en") },
  move_media: {
    vcon: recorded(),
    expect: ({ io }) => {
      const [dialog] = io.vcon(0).dialog ?? [];
      expect(dialog).toMatchObject({ url: expect.stringContaining("/media/"), mediatype: "audio/wav" });
    },
  },
  openai_chat_completion: async () => {
    const openAi = await openAiDouble(new ModelScript("Call back on Monday."), "sk-test");
    return {
      env: { FETCH_ALLOW: openAi.host, OPENAI_BASE_URL: `${openAi.url}/v1`, OPENAI_API_KEY: "sk-test" },
      expect: ({ io }) =>
        expect(io.vcon(0).analysis?.at(-1)).toMatchObject({
          type: "action items",
          body: "Call back on Monday.",
        }),
    };
  },
  queue_job: {
    expect: ({ io }) => expect(io.queuedJobs).toMatchObject([{ queue: "archive", uuids: [sample().uuid] }]),
  },
  redact: {
    expect: ({ io }) => {
      expect(io.vcon(0)).toEqual(sample());
      expect(JSON.stringify(io.vcon(1))).not.toMatch(/Okafor|555-0147/);
    },
  },
  // This conversation is among the nine of ten.
  sampler: { expect: ({ flow }) => expect(flow).toEqual(["stop"]) },
  scitt: {
    env: { SCITT_KEY: signingKey("P-256") },
    expect: ({ io }) => expect(io.vcon(0).attachments?.at(-1)).toMatchObject({ purpose: "scitt_statement" }),
  },
  send_email: async () => {
    const smtp = await SmtpDouble.start();
    return {
      env: { SMTP_HOST: "127.0.0.1", SMTP_PORT: String(smtp.port) },
      expect: () =>
        expect(smtp.received).toMatchObject([
          { recipients: ["team@shop.example"], mail: { subject: "A conversation ended", attachments: [{}] } },
        ]),
    };
  },
  sentiment: { expect: ({ io }) => expect(io.parameters.get("mood")).toEqual(expect.any(Number)) },
  service: { fails: /there are no remote workers here/ },
  set_parameters: {
    expect: ({ io }) => expect(Object.fromEntries(io.parameters)).toEqual({ team: "support" }),
  },
  sign: async () => {
    const { leaf, intermediate } = await certificates();
    return {
      env: {
        SIGNING_KEY: leaf.key,
        SIGNING_CERTIFICATE: leaf.certificate,
        INTERMEDIATE_CERTIFICATE: intermediate.certificate,
      },
      expect: ({ io }) => expect(io.state(0)).toBe("signed"),
    };
  },
  slack: async () => {
    const slack = await slackDouble({ token: "xoxb-test", channels: ["#calls"] });
    return {
      env: { FETCH_ALLOW: slack.host, SLACK_BASE_URL: `${slack.url}/api`, SLACK_BOT_TOKEN: "xoxb-test" },
      expect: ({ io }) => expect(io.parameters.get("slack_ts")).toEqual(expect.stringMatching(/^\d+\.\d+$/)),
    };
  },
  tag: {
    expect: ({ io }) =>
      expect(readTags(io.vcon(0))).toEqual(expect.arrayContaining(["team:support", "reviewed"])),
  },
  tag_router: { expect: ({ io }) => expect(io.queuedJobs).toEqual([]) },
  text_pii_redactor: {
    expect: ({ io }) => {
      expect(io.vcon(0)).toEqual(sample());
      expect(io.vcon(1)).toMatchObject({
        analysis: [{ type: "transcript-redacted" }],
        redacted: { uuid: sample().uuid },
      });
      expect(JSON.stringify(io.vcon(1))).not.toMatch(/Okafor|555-0147/);
    },
  },
  transcribe: async () => {
    const deepgram = await deepgramDouble("dg-test");
    return {
      vcon: recorded(),
      env: { FETCH_ALLOW: deepgram.host, DEEPGRAM_BASE_URL: deepgram.url, DEEPGRAM_KEY: "dg-test" },
      expect: ({ io }) =>
        expect(io.vcon(0).analysis).toMatchObject([{ type: "transcript" }, { type: "wtf_transcription" }]),
    };
  },
  validate: {
    expect: ({ io }) => expect(io.parameters.get("validation")).toMatchObject({ valid: true }),
  },
  webhook: async () => {
    const receiver = await webhookReceiver(Buffer.from("hook-secret"));
    return {
      options: { url: `${receiver.url}/hooks/conversations` },
      env: { FETCH_ALLOW: receiver.host, WEBHOOK_SECRET: "hook-secret" },
      expect: () => expect(receiver.json).toMatchObject([{ uuid: sample().uuid }]),
    };
  },
  whisper_base: async () => {
    const whisper = await openAiAudioDouble();
    return {
      vcon: recorded(),
      env: { FETCH_ALLOW: whisper.host, WHISPER_BASE_URL: `${whisper.url}/v1` },
      expect: ({ io }) =>
        expect(io.vcon(0).analysis).toMatchObject([
          { type: "transcript", schema: "whisper_word_timestamps" },
        ]),
    };
  },
  verify: async () => ({
    vcon: toValue((await signedSample()).jws),
    env: { CA_CERTIFICATE: (await certificates()).ca.certificate },
    expect: ({ io }) => expect(io.content(0)).toEqual(sample()),
  }),
};

/** The conversation that the examples run on: a call with a recording and its transcript. */
export function sample(): Vcon {
  const path = new URL("../../../../examples/conversations/support-call.vcon.json", import.meta.url);
  const vcon: JsonObject = JSON.parse(readFileSync(path, "utf8"));
  if (!isVcon(vcon)) throw new Error("the sample is not a vCon");
  return vcon;
}

/** The sample with a recording in it, not transcribed yet. */
export function recorded(): Vcon {
  const vcon = sample();
  const [dialog] = vcon.dialog ?? [];
  const body = Buffer.from(wav({ seconds: 7 })).toString("base64url");
  return {
    ...vcon,
    dialog: [{ ...dialog, mediatype: "audio/wav", encoding: "base64url", body }],
    analysis: [],
  };
}

let made: ReturnType<typeof makeTestCertificates> | undefined;
function certificates() {
  made ??= makeTestCertificates({ name: "calls.example.com" });
  return made;
}

async function signedSample() {
  const { leaf, intermediate } = await certificates();
  const chain = [leaf.certificate, intermediate.certificate];
  return { jws: await sign(fromContent(sample()), { key: leaf.key, chain }) };
}
