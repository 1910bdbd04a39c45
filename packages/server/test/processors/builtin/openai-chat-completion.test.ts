import type { JsonObject } from "@vconductor/vcon";
import { beforeEach, describe, expect, it } from "vitest";
import { ModelScript, openAiDouble } from "../../doubles/language-models.ts";
import { runProcessor } from "../run-processor.ts";
import { vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";

const script = new ModelScript();
const openAi = await openAiDouble(script, "sk-test");
beforeEach(() => {
  openAi.reset();
  script.answers = ["They agreed on Thursday."];
});

const env = {
  FETCH_ALLOW: openAi.host,
  OPENAI_BASE_URL: `${openAi.url}/v1`,
  OPENAI_API_KEY: "sk-test",
};

function complete(options: object = {}, given: JsonObject = vcon("a")) {
  return runProcessor({ processor: "openai_chat_completion", options, vcons: [given], env });
}

/** A call with a transcript of two turns. */
const call: JsonObject = {
  ...vcon("a"),
  dialog: [
    {
      type: "recording",
      start: "2026-03-02T09:15:00Z",
      duration: 9,
      parties: [0, 1],
      mediatype: "audio/wav",
    },
  ],
  analysis: [
    {
      type: "transcript",
      dialog: 0,
      vendor: "acme",
      encoding: "json",
      body: [
        { party: 0, start: 0, duration: 2, text: "Hello?" },
        { party: 1, start: 3, duration: 4, text: "Good morning." },
      ],
    },
  ],
};

describe("openai_chat_completion", () => {
  it("puts what was written to the model as the reference does, and keeps the answer", async () => {
    const { io, usage } = await complete();
    expect(openAi.json).toEqual([
      {
        model: "gpt-4-1106-preview",
        max_tokens: 100,
        temperature: 0,
        messages: [
          {
            role: "user",
            content: "in chat at 2026-03-02T09:15:00.000Z, Ada Brandt said: When does my order arrive?",
          },
          { role: "user", content: "in chat at 2026-03-02T09:15:30.000Z, Support said: On Thursday." },
          { role: "system", content: "You are a helpful assistant." },
          { role: "system", content: "Summarize the transcript in these messages." },
        ],
      },
    ]);
    expect(io.vcon(0).analysis).toEqual([
      {
        type: "summary",
        dialog: [0, 1],
        vendor: "openai",
        product: "ChatCompletion",
        schema: "text",
        mediatype: "text/plain",
        encoding: "none",
        body: "They agreed on Thursday.",
        prompt: "Summarize the transcript in these messages.",
        model: "gpt-4-1106-preview",
      },
    ]);
    expect(usage).toMatchObject([{ provider: "openai", model: "gpt-4-1106-preview" }]);
  });

  it("puts what was said in calls, with its times", async () => {
    const { io } = await complete({}, call);
    expect(openAi.json).toMatchObject([
      {
        messages: [
          {
            content:
              "in a call that took place at 2026-03-02T09:15:00.000Z to 2026-03-02T09:15:02.000Z, Ada Brandt said: Hello?",
          },
          {
            content:
              "in a call that took place at 2026-03-02T09:15:03.000Z to 2026-03-02T09:15:07.000Z, Support said: Good morning.",
          },
          {},
          {},
        ],
      },
    ]);
    expect(io.vcon(0).analysis?.[1]?.dialog).toBe(0);
  });

  it("asks for JSON and keeps what jq makes of the answer", async () => {
    script.answers = ['```json\n{"score": 5}\n```'];
    const query = '.choices[0].message.content | split("\\n")[1] | fromjson';
    const { io } = await complete({ json_response: true, jq_result: query, analysis_type: "agent score" });
    expect(openAi.json).toMatchObject([{ response_format: { type: "json_object" } }]);
    expect(io.vcon(0).analysis).toMatchObject([
      {
        type: "agent score",
        encoding: "json",
        mediatype: "application/json",
        schema: `chat_completion_object ?jq=${query}`,
        body: { score: 5 },
      },
    ]);
  });

  it("adds no analysis where jq gives nothing, and the whole answer for .", async () => {
    expect((await complete({ jq_result: "empty" })).io.toOutput().vcons_modified).toEqual([false]);
    const { io } = await complete({ jq_result: "." });
    expect(io.vcon(0).analysis).toMatchObject([
      { schema: "chat_completion_object", body: { object: "chat.completion" } },
    ]);
  });

  it("puts selected dialogs only", async () => {
    const { io } = await complete({ input_dialogs: "1" });
    expect(openAi.json).toMatchObject([
      { messages: [{ content: expect.stringContaining("On Thursday.") }, {}, {}] },
    ]);
    expect(io.vcon(0).analysis?.[0]?.dialog).toBe(1);
  });

  it("asks models that reason in their own words", async () => {
    await complete({ model: "gpt-5-mini" });
    expect(openAi.json[0]).toMatchObject({ max_completion_tokens: 100 });
    expect(openAi.json[0]).not.toHaveProperty("temperature");
  });

  it("does nothing without a key, or without words", async () => {
    const keyless = await runProcessor({ processor: "openai_chat_completion", vcons: [vcon("a")] });
    expect(keyless.io.toOutput().vcons_modified).toEqual([false]);
    const silent = await complete({}, { ...call, analysis: [] });
    expect([silent.io.toOutput().vcons_modified, openAi.received.length]).toEqual([[false], 0]);
  });

  it("needs no key for a server of one's own", async () => {
    const own = await openAiDouble(new ModelScript("fine"));
    const local = { FETCH_ALLOW: own.host, OPENAI_BASE_URL: `${own.url}/v1` };
    const { io } = await runProcessor({
      processor: "openai_chat_completion",
      vcons: [vcon("a")],
      env: local,
    });
    expect(io.vcon(0).analysis).toMatchObject([{ body: "fine" }]);
    expect(own.received[0]?.headers.authorization).toBeUndefined();
  });

  it("fails with what the provider says", async () => {
    openAi.troubles({ status: 400, body: "no such model; key sk-test" });
    const error = await rejected(complete());
    expect([error.code, error.message]).toEqual([
      "provider_failed",
      "openai answered 400: no such model; key ********",
    ]);
  });
});
