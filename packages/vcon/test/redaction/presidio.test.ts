import { createServer, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { presidioDetector } from "../../src/redaction/pii/presidio.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that answers as a Presidio analyzer does, and notes what it was asked. */
async function analyzer(
  answer: unknown,
  status = 200,
): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const listening = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      asked.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(status, { "content-type": "application/json" });
      response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
    });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const address = listening.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, asked };
}

test("asks the analyzer, and counts characters as JavaScript does", async () => {
  const text = "😀 Ann lives here";
  const { url, asked } = await analyzer([{ entity_type: "PERSON", start: 2, end: 5, score: 0.85 }]);
  const spans = await presidioDetector({ url: `${url}/`, language: "de" })(text);
  expect(spans).toEqual([{ kind: "PERSON", start: 3, end: 6, text: "Ann", score: 0.85 }]);
  expect(asked).toEqual([`POST /analyze ${JSON.stringify({ text, language: "de", score_threshold: 0.4 })}`]);
});

test("resolves what overlaps, and leaves out what is too unsure", async () => {
  const { url } = await analyzer([
    { entity_type: "URL", start: 4, end: 15, score: 0.5 },
    { entity_type: "EMAIL_ADDRESS", start: 0, end: 15, score: 1 },
    { entity_type: "PERSON", start: 16, end: 20, score: 0.1 },
  ]);
  expect(await presidioDetector({ url })("ann@example.com nope")).toMatchObject([
    { kind: "EMAIL_ADDRESS", start: 0, end: 15 },
  ]);
});

test.each([
  [{ error: "no" }, 200, /no list of findings/],
  ["<html>", 200, /no list of findings/],
  [[{ entity_type: "PERSON", start: 0, end: 900 }], 200, /without its place/],
  [[{ entity_type: "PERSON" }], 200, /without its place/],
  [[], 500, /answered 500/],
])("text that nobody looked at is not taken for clean: %j, %i", async (answer, status, message) => {
  const { url } = await analyzer(answer, status);
  await expect(presidioDetector({ url })("Ann")).rejects.toMatchObject({
    code: "fetch_failed",
    message: expect.stringMatching(message),
  });
});

test("an analyzer that is not there", async () => {
  const detect = presidioDetector({ url: "http://127.0.0.1:1" });
  await expect(detect("Ann")).rejects.toMatchObject({
    code: "fetch_failed",
    message: expect.stringContaining("does not answer"),
  });
});
