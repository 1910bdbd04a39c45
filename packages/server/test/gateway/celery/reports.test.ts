import { describe, expect, it } from "vitest";
import { answerIn, failureIn, readReport } from "../../../src/gateway/celery/reports.ts";

const read = (content: string) => readReport(content, "t")?.result;

describe("reports of Celery's workers", () => {
  it("are of the task that they name, or else of the one that was asked for", () => {
    const report = { status: "SUCCESS", result: 1 };
    expect(readReport(JSON.stringify({ ...report, task_id: "a" }), "b")).toEqual({ ...report, id: "a" });
    expect(readReport(JSON.stringify(report), "b")).toEqual({ ...report, id: "b" });
    expect(readReport(JSON.stringify(report), undefined)).toBeUndefined();
  });

  it("have null for the numbers that Python writes and JSON has not; strings stay as they are", () => {
    const strings = String.raw`["NaN", "a \"NaN, \\", "-Infinity", "é\u00e9"]`;
    const content = `{"status": "SUCCESS", "result": [NaN, [Infinity,-Infinity], {"NaN": NaN}, ${strings}, -1]}`;
    const rest = ["NaN", 'a "NaN, \\', "-Infinity", "éé"];
    expect(read(content)).toEqual([null, [null, null], { NaN: null }, rest, -1]);
    const long = "x".repeat(5_000_000);
    expect(read(`{"status": "SUCCESS", "result": ["${long}", NaN]}`)).toEqual([long, null]);
  });

  it.each(["", "null", "[]", '"SUCCESS"', '{"status": 1}', "{'status': 'SUCCESS'}", "(dp0", "a: b"])(
    "are not what is something else: %s",
    (content) => expect(readReport(content, "t")).toBeUndefined(),
  );

  it("end a task, or do not", () => {
    const ends = (status: string) => answerIn({ id: "t", status, result: null })?.status;
    expect(["SUCCESS", "FAILURE", "REVOKED"].map(ends)).toEqual(["SUCCESS", "FAILURE", "REVOKED"]);
    expect(["STARTED", "PROGRESS", "RETRY", "STORING"].map(ends)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("why a task failed", () => {
  it.each([
    ["DownloadError", "app", 301],
    ["ValueError", "builtins", 105],
    ["Error", "sqlite3", 102],
    ["Error", "binascii", 101],
    ["gaierror", "socket", 106],
    ["RuntimeError", "builtins", 306],
    ["TranscriptionEmptyError", "stt", 643],
    ["constructor", "x", 101],
  ])("%s of %s has the gateway's code %i", (exc_type, exc_module, code) => {
    const failure = failureIn({ exc_type, exc_module, exc_message: ["no", 1] });
    expect(failure).toEqual({ code, message: `${exc_type}: no, 1` });
  });

  it("is told without what has secrets in it", () => {
    const failure = failureIn({ exc_type: "SwiftException", exc_message: ["a token"] });
    expect(failure).toEqual({ code: 506, message: "SwiftException" });
  });
});
