import { type JsonObject, readTags, validate } from "@vconductor/vcon";
import { beforeEach, describe, expect, it } from "vitest";
import { anthropicDouble, ModelScript, openAiDouble } from "../../doubles/language-models.ts";
import { runProcessor } from "../run-processor.ts";
import { vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";

const script = new ModelScript("A question about a delivery.");
const openAi = await openAiDouble(script, "sk-test");
const anthropic = await anthropicDouble(script, "ak-test");
beforeEach(() => {
  openAi.reset();
  anthropic.reset();
  script.answers = ["A question about a delivery."];
});

function analyze(options: object, { given = vcon("a"), parameters = {} }: Given = {}) {
  const env = {
    FETCH_ALLOW: "127.0.0.1",
    OPENAI_BASE_URL: `${openAi.url}/v1`,
    OPENAI_API_KEY: "sk-test",
    GROQ_BASE_URL: `${openAi.url}/openai/v1`,
    GROQ_API_KEY: "sk-test",
    AZURE_OPENAI_ENDPOINT: openAi.url,
    AZURE_OPENAI_API_KEY: "sk-test",
    ANTHROPIC_BASE_URL: anthropic.url,
    ANTHROPIC_API_KEY: "ak-test",
  };
  const whole = { model: "gpt-4o-mini", prompt: "What is it about?", ...options };
  return runProcessor({ processor: "analyze", options: whole, vcons: [given], parameters, env });
}

interface Given {
  readonly given?: JsonObject;
  readonly parameters?: JsonObject;
}

describe("analyze", () => {
  it("keeps the answer as an analysis of the whole vCon", async () => {
    const { io, usage } = await analyze({ set_parameter: "about" });
    const [analysis] = io.vcon(0).analysis ?? [];
    expect(analysis).toEqual({
      type: "summary",
      dialog: [0, 1],
      vendor: "openai",
      product: "analyze",
      model: "gpt-4o-mini",
      prompt: "What is it about?",
      mediatype: "text/plain",
      encoding: "none",
      body: "A question about a delivery.",
    });
    expect(io.parameters.get("about")).toBe("A question about a delivery.");
    expect(usage).toEqual([{ provider: "openai", model: "gpt-4o-mini", inputTokens: 100, outputTokens: 10 }]);
    const errors = validate(io.vcon(0)).filter(({ severity }) => severity === "error");
    expect(errors.map(({ path }) => path)).toEqual([["uuid"]]);
    expect(openAi.json).toMatchObject([
      {
        model: "gpt-4o-mini",
        max_tokens: 1000,
        temperature: 0,
        messages: [
          { role: "system" },
          {
            role: "user",
            content:
              "What is it about?\n\nThe conversation:\nAda Brandt: When does my order arrive?\nSupport: On Thursday.",
          },
        ],
      },
    ]);
  });

  it("fills the prompt in, and leaves other braces alone", async () => {
    const prompt = 'On {date}, {parties} ({subject}, {team}): {transcript} Like {"a": 1} or {unknown}.';
    await analyze({ prompt }, { parameters: { team: "blue" } });
    expect(openAi.json).toMatchObject([
      {
        messages: [
          {},
          {
            content:
              "On 2026-03-02T09:15:00.000Z, Ada Brandt, Support (Delivery date, blue): Ada Brandt: When does my order " +
              'arrive?\nSupport: On Thursday. Like {"a": 1} or {unknown}.',
          },
        ],
      },
    ]);
  });

  it("asks once per dialog, and of selected ones only", async () => {
    script.answers = ["first", "second"];
    const { io } = await analyze({ per: "dialog", set_parameter: "all" });
    expect(io.vcon(0).analysis?.map(({ dialog, body }) => [dialog, body])).toEqual([
      [0, "first"],
      [1, "second"],
    ]);
    expect(io.parameters.get("all")).toEqual(["first", "second"]);
    openAi.reset();
    await analyze({ per: "dialog", input_dialogs: [1] });
    expect(openAi.received.length).toBe(1);
    expect(openAi.received[0]?.body.toString()).not.toContain("When does my order");
  });

  it("does not ask again what has its answer, unless told to", async () => {
    const { io } = await analyze({});
    openAi.reset();
    script.answers = ["new"];
    const again = await analyze({ set_parameter: "p" }, { given: io.vcon(0) });
    expect([openAi.received.length, again.usage, again.io.toOutput().vcons_modified]).toEqual([
      0,
      [],
      [false],
    ]);
    expect(again.io.parameters.get("p")).toBe("A question about a delivery.");
    const over = await analyze({ overwrite: true }, { given: io.vcon(0) });
    expect(over.io.vcon(0).analysis?.map(({ body }) => body)).toEqual(["new"]);
    await analyze({ prompt: "Another question?" }, { given: io.vcon(0) });
    expect(openAi.received.length).toBe(2);
  });

  it("has JSON checked against the schema, and says once what is wrong", async () => {
    const json_schema = {
      type: "object",
      properties: { score: { type: "integer", minimum: 1, maximum: 10 } },
      required: ["score"],
    };
    script.answers = ['```json\n{"score": 12}\n```', '{"score": 7}'];
    const { io, usage } = await analyze({ json_schema, analysis_type: "score" });
    expect(io.vcon(0).analysis).toMatchObject([{ encoding: "json", body: { score: 7 } }]);
    expect(usage.length).toBe(2);
    expect(openAi.json).toMatchObject([
      { response_format: { type: "json_schema", json_schema: { schema: json_schema } } },
      {
        messages: [
          {},
          {},
          { role: "assistant", content: '```json\n{"score": 12}\n```' },
          { role: "user", content: "That does not fit: answer/score must be <= 10. Answer again, as asked." },
        ],
      },
    ]);
    script.answers = ["seven"];
    const error = await rejected(analyze({ json_schema }));
    expect(error.code).toBe("provider_failed");
    expect(error.message).toBe("the answer of gpt-4o-mini does not fit: the answer is not JSON: seven");
  });

  it("labels and tags", async () => {
    script.answers = ['{"labels": ["delivery"]}'];
    const labels = ["billing", "delivery"];
    const { io } = await analyze({ labels, analysis_type: "topic" });
    expect(io.vcon(0).analysis).toMatchObject([{ type: "topic", encoding: "json", body: ["delivery"] }]);
    expect(readTags(io.vcon(0))).toEqual(["topic:delivery"]);
    script.answers = ['{"labels": ["weather"]}'];
    const error = await rejected(analyze({ labels }));
    expect(error.message).toContain("must be equal to one of the allowed values");
    script.answers = ['{"labels": []}'];
    const none = await analyze({ labels, several_labels: true, tag_prefix: "t" });
    expect(readTags(none.io.vcon(0))).toEqual([]);
  });

  it.each([
    ["openai", "/v1/chat/completions"],
    ["groq", "/openai/v1/chat/completions"],
    ["azure", "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21"],
  ])("asks %s where its API is", async (provider, path) => {
    const { io, usage } = await analyze({ provider });
    expect(openAi.received.map((request) => request.path)).toEqual([path]);
    expect(io.vcon(0).analysis).toMatchObject([{ vendor: provider }]);
    expect(usage).toMatchObject([{ provider }]);
  });

  it("asks any compatible server, with a key of its own", async () => {
    await analyze({ provider: "compatible", base_url: `${openAi.url}/local/v1/`, api_key: "sk-test" });
    expect(openAi.received.map((request) => request.path)).toEqual(["/local/v1/chat/completions"]);
  });

  it("asks Anthropic for text and for JSON", async () => {
    const text = await analyze({ provider: "anthropic", model: "claude-haiku-4-5" });
    expect(text.io.vcon(0).analysis).toMatchObject([
      { vendor: "anthropic", body: "A question about a delivery." },
    ]);
    expect(text.usage).toEqual([
      { provider: "anthropic", model: "claude-haiku-4-5", inputTokens: 100, outputTokens: 9 },
    ]);
    expect(anthropic.json).toMatchObject([
      { system: expect.stringContaining("You analyse"), messages: [{ role: "user" }] },
    ]);
    script.answers = ['{"labels": ["delivery"]}'];
    const labelled = await analyze({
      provider: "anthropic",
      model: "claude-haiku-4-5",
      labels: ["delivery"],
    });
    expect(readTags(labelled.io.vcon(0))).toEqual(["summary:delivery"]);
  });

  it("does nothing without words", async () => {
    const { io, usage } = await analyze({ set_parameter: "p" }, { given: { ...vcon("a"), dialog: [] } });
    expect([io.toOutput().vcons_modified, usage, io.parameters.get("p")]).toEqual([[false], [], null]);
  });

  it.each([
    [{ provider: "anthropic" }, "ANTHROPIC_API_KEY"],
    [{ provider: "groq" }, "GROQ_API_KEY"],
    [{ provider: "openai" }, "OPENAI_API_KEY"],
    [{ provider: "azure" }, "AZURE_OPENAI_ENDPOINT"],
    [{ provider: "compatible" }, "base_url"],
  ])("%j without what it needs names %s", async (options, name) => {
    const whole = { model: "m", prompt: "p", ...options };
    const error = await rejected(runProcessor({ processor: "analyze", options: whole, vcons: [vcon("a")] }));
    expect(error.code).toBe("invalid_options");
    expect(error.message).toContain(name);
  });

  it("says what a provider says, without the key", async () => {
    openAi.troubles({ status: 401, body: { error: { message: "Incorrect API key provided: sk-test" } } });
    const error = await rejected(analyze({}));
    expect(error.message).toBe(
      'openai answered 401: {"error":{"message":"Incorrect API key provided: ********"}}',
    );
    openAi.troubles({ body: { choices: [{ message: { refusal: "I cannot help with that" } }] } });
    expect((await rejected(analyze({}))).message).toBe("openai refused: I cannot help with that");
    openAi.troubles({ body: {} });
    expect((await rejected(analyze({}))).message).toBe("openai gave an answer without a message");
  });

  it("has its schema checked when the pipeline is defined", async () => {
    const error = await rejected(analyze({ json_schema: { type: "objekt" } }));
    expect(error.code).toBe("invalid_options");
    expect(error.detail).toMatchObject([
      { loc: ["json_schema"], msg: expect.stringContaining("JSON Schema") },
    ]);
  });
});
