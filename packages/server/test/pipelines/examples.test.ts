import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { recorded, sample } from "../docs/processor-examples.ts";
import { deepgramDouble } from "../doubles/deepgram.ts";
import { ModelScript, openAiDouble } from "../doubles/language-models.ts";
import { SmtpDouble } from "../doubles/smtp-server.ts";
import { at } from "../http/call.ts";
import { startApi } from "../http/start-api.ts";

// The pipelines of examples/pipelines, and those that the reference ships, as they are.

const own = new URL("../../../../examples/pipelines/", import.meta.url);
const reference = new URL("../../../../../shared/data/reference/", import.meta.url);

const script = new ModelScript();
const openAi = await openAiDouble(script, "sk-test");
const deepgram = await deepgramDouble("dg-test");
const smtp = await SmtpDouble.start();
const { smtp_host, smtp_port } = smtp.options;
const server = await startApi({
  env: {
    FETCH_ALLOW: `${openAi.host},${deepgram.host},${smtp.allow}`,
    OPENAI_BASE_URL: `${openAi.url}/v1`,
    OPENAI_API_KEY: "sk-test",
    DEEPGRAM_BASE_URL: deepgram.url,
    DEEPGRAM_KEY: "dg-test",
    SMTP_HOST: smtp_host,
    SMTP_PORT: String(smtp_port),
  },
});
afterAll(() => server.stop());

beforeEach(() => {
  for (const double of [openAi, deepgram, smtp]) double.reset();
});

/** Stores a vCon and a pipeline, and runs the one through the other. @returns the vCon as it then is */
async function run(text: string, vcon: object): Promise<unknown> {
  const put = await server.call("PUT", "/pipeline/example", { body: text });
  expect(put.status, put.text).toBe(204);
  const stored = await server.call("POST", "/vcon", { body: vcon });
  expect(stored.status, stored.text).toBe(204);
  const uuid = encodeURIComponent(String(at(vcon, "uuid")));
  const ran = await server.call("POST", `/pipeline/example/run/${uuid}?save_vcons=true`);
  expect(ran.status, ran.text).toBe(200);
  return (await server.call("GET", `/vcon/${uuid}`)).json;
}

async function waiting(queue: string): Promise<unknown> {
  return (await server.call("GET", `/queue/${queue}`)).json;
}

function read(folder: URL, name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}

/** What the reference's files leave to the reader: the name of a mail server. */
function withMailServer(text: string): string {
  return text.replace(
    '"smtp_host": "mail.yourdomain.com"',
    `"smtp_host": "${smtp_host}", "smtp_port": ${smtp_port}`,
  );
}

describe.skipIf(!existsSync(reference))(
  "of the reference (skipped where ../shared/data is not there)",
  () => {
    test.each([
      [4, 1],
      [9, 0],
    ])("a call that is given %i points brings %i job to the queue of bad calls", async (score, jobs) => {
      const queue = "bad_agent_call_job_queue";
      await server.call("POST", `/queue/${queue}`);
      const before = await waiting(queue);
      script.answers = [`\`\`\`json\n${JSON.stringify({ score, criteria: ["polite"] })}\n\`\`\``];
      const uuid = `018e0000-0000-8000-8000-00000000000${score}`;
      const vcon = { ...JSON.parse(read(reference, "example_deepgram_external_dialog.vcon")), uuid };
      const after = await run(read(reference, "conditional_pipeline.json"), vcon);
      expect(at(after, "analysis", 1)).toMatchObject({ type: "agent score", body: { score } });
      const [, ...messages] = Object(at(openAi.json[0], "messages")).toReversed();
      expect(JSON.stringify(messages)).toContain("essence of Hargon");
      const queued: readonly unknown[] = Object(await waiting(queue));
      expect(queued.slice(Object(before).length)).toEqual(
        Array.from({ length: jobs }, () => expect.objectContaining({ vcon_uuid: [uuid] })),
      );
    });

    test("the notes of a meeting come by e-mail", async () => {
      script.answers = ["They want rye bread.", "- Bake rye bread", "- Rye bread is asked for"];
      const text = withMailServer(read(reference, "email_meeting_notes_pipeline.json"));
      const after = await run(text, recorded());
      expect(Object(at(after, "analysis")).map((analysis: unknown) => at(analysis, "type"))).toEqual([
        "transcript",
        "summary",
        "action items",
        "notes",
      ]);
      expect(deepgram.received.length).toBe(1);
      const [{ mail, recipients, greeting } = {}] = smtp.received;
      expect([recipients, greeting]).toEqual([["you@yourdomain.com"], "vcon_server.yourdomain.com"]);
      expect(mail?.subject).toMatch(/^Meeting notes 20\d\d-/);
      expect(mail?.text).toMatch(
        /^Summary:\nThey want rye bread\.\n\nAttendees:\n.+\n.+\n\nNotes:\n- Rye bread is asked for\n\nAction Items:\n- Bake rye bread\n/,
      );
    });
  },
);

describe("of our own", () => {
  test.each([
    [4, 1],
    [9, 0],
  ])("a call that is given %i points brings %i job to the coaches", async (score, jobs) => {
    await server.call("POST", "/queue/coaching");
    const before = await waiting("coaching");
    script.answers = [JSON.stringify({ score, reasons: ["polite"] })];
    const after = await run(read(own, "agent-score.json"), sample());
    expect(at(after, "analysis")).toContainEqual(
      expect.objectContaining({ type: "agent_score", body: { score, reasons: ["polite"] } }),
    );
    expect(Object(await waiting("coaching")).length - Object(before).length).toBe(jobs);
  });

  test("the notes of a meeting come by e-mail, with the vCon", async () => {
    script.answers = ["They want rye bread.", "- Bake rye bread"];
    const after = await run(read(own, "meeting-notes.json"), recorded());
    const types = Object(at(after, "analysis")).map((analysis: unknown) => at(analysis, "type"));
    expect(types).toEqual(expect.arrayContaining(["transcript", "summary", "action_items"]));
    const [{ mail } = {}] = smtp.received;
    expect(mail?.subject).toMatch(/^Notes of the meeting of 20\d\d-/);
    expect(mail?.text).toMatch(/^They want rye bread\.\n\nTo do:\n- Bake rye bread\n\nPresent: /);
    const [attached] = mail?.attachments ?? [];
    const content = attached?.content;
    if (typeof content === "string" || content === undefined) throw new Error("no vCon is attached");
    const vcon: unknown = JSON.parse(Buffer.from(new Uint8Array(content)).toString());
    expect(at(vcon, "uuid")).toBe(recorded().uuid);
  });
});
