import { expect, test } from "vitest";
import { ModelScript, openAiDouble } from "../doubles/language-models.ts";
import { eventually } from "../setup/eventually.ts";
import { kill, openSite } from "./harness.ts";
import { call, defineWork, queueJob, runs, store, untilEnded } from "./load.ts";

const dialog = (body: string) => ({
  type: "text",
  start: "2026-03-02T09:15:00Z",
  parties: [0],
  originator: 0,
  mediatype: "text/plain",
  encoding: "none",
  body,
});

/** Which dialog a request to the model is about. */
function about(request: unknown): string | undefined {
  return /word (\w+)/.exec(JSON.stringify(request))?.[1];
}

test("kill -9 in the middle of a paid call: what was answered is not paid again, the call itself once more", async () => {
  const script = new ModelScript("first", "second", "third");
  const openAi = await openAiDouble(script, "sk-test");
  const site = await openSite({
    env: {
      LEASE_SECONDS: "3600",
      FETCH_ALLOW: openAi.host,
      OPENAI_BASE_URL: `${openAi.url}/v1`,
      OPENAI_API_KEY: "sk-test",
    },
  });
  const server = await site.start();
  const options = { model: "gpt-4o-mini", prompt: "What is it about?", per: "dialog" };
  await defineWork(server.url, { processor: "analyze", options, pipeline: { checkpoint: true } });
  await store(server.url, "one", { dialog: ["word alpha", "word beta", "word gamma"].map(dialog) });

  // The first call is answered; the second is still waiting for its answer when the worker dies.
  openAi.troubles("none", "hang");
  await queueJob(server.url, ["one"]);
  await eventually(() => openAi.received.length === 2);
  kill(server.workers()[0] ?? 0);
  await untilEnded(server.url, 1);

  expect(openAi.json.map(about)).toEqual(["alpha", "beta", "beta", "gamma"]);
  const { body: vcon } = await call("GET", `${server.url}/vcon/one`);
  expect(vcon).toMatchObject({ analysis: [{ dialog: 0 }, { dialog: 1 }, { dialog: 2 }] });
  const [done, crashed] = await runs(server.url);
  expect([done, crashed]).toMatchObject([
    { outcome: "done", usage: { calls: 2, input_tokens: 200 } },
    { outcome: "crashed", usage: { calls: 1, input_tokens: 100 } },
  ]);
  const { body: usage } = await call("GET", `${server.url}/usage?queue=work`);
  expect(usage).toMatchObject({
    usage: [{ queue: "work", provider: "openai", model: "gpt-4o-mini", calls: 3 }],
  });
});

test("a failed job that is tried again does not pay again for what was answered", async () => {
  const openAi = await openAiDouble(new ModelScript("answer"), "sk-test");
  const site = await openSite({
    env: {
      FETCH_ALLOW: openAi.host,
      OPENAI_BASE_URL: `${openAi.url}/v1`,
      OPENAI_API_KEY: "sk-test",
      PROVIDER_RETRIES: "0",
    },
  });
  const server = await site.start();
  const options = { model: "gpt-4o-mini", prompt: "What is it about?", per: "dialog" };
  await defineWork(server.url, {
    processor: "analyze",
    options,
    pipeline: { checkpoint: true, retry_limit: 1, run_budget: 1 },
  });
  await store(server.url, "one", { dialog: ["word alpha", "word beta"].map(dialog) });
  openAi.troubles("none", { status: 500, body: "the key sk-test had bad luck" });
  await queueJob(server.url, ["one"]);
  await untilEnded(server.url, 1);
  expect(openAi.json.map(about)).toEqual(["alpha", "beta", "beta"]);
  const [done, failed] = await runs(server.url);
  expect(done).toMatchObject({ outcome: "done", usage: { calls: 1, unpriced_calls: 0 } });
  expect(failed).toMatchObject({
    outcome: "retry",
    error: {
      code: "provider_failed",
      processor: "analyze",
      message: "openai answered 500: the key ******** had bad luck",
    },
  });
});
