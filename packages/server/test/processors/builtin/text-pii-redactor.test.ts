import type { JsonObject } from "@vconductor/vcon";
import { describe, expect, it } from "vitest";
import { runProcessor } from "../run-processor.ts";
import { vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";

const [first] = vcon("a").dialog ?? [];
const personal: JsonObject = {
  ...vcon("a"),
  dialog: [{ ...first, body: "Call me at 212-555-0142, says Ada Brandt." }],
};

function redact(options: object, given: JsonObject = personal) {
  const whole = { redaction_type_label: "PII", jq_redaction_query: ".", ...options };
  return runProcessor({ processor: "text_pii_redactor", options: whole, vcons: [given] });
}

const onlyRedacted = "{analysis: [.analysis[-1]]}";

describe("text_pii_redactor", () => {
  it("adds a vCon made of what the program keeps; the original stays", async () => {
    const { io } = await redact({ jq_redaction_query: onlyRedacted, uuid_domain: "example.com" });
    expect(io.toOutput().vcons_modified).toEqual([false, true]);
    expect(io.vcon(0)).toEqual(personal);
    expect(io.vcon(1)).toEqual({
      vcon: "0.4.0",
      uuid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8/),
      created_at: "2026-03-02T09:15:00Z",
      parties: [],
      redacted: { uuid: "a", type: "PII" },
      analysis: [
        {
          type: "transcript-redacted",
          dialog: 0,
          vendor: "vConductor",
          product: "text_pii_redactor",
          schema: "transcript-redacted/1",
          mediatype: "application/json",
          encoding: "json",
          body: [
            {
              parties: 0,
              start: "2026-03-02T09:15:00.000Z",
              text: "Call me at {{PHONE_NUMBER}}, says {{PERSON}}.",
            },
          ],
        },
      ],
    });
  });

  it("keeps a uuid that the program gives, and makes one where it gives none or the old one", async () => {
    expect((await redact({ jq_redaction_query: '.uuid = "b"' })).io.uuid(1)).toBe("b");
    expect((await redact({ jq_redaction_query: "." })).io.uuid(1)).not.toBe("a");
  });

  it("looks at selected dialogs only", async () => {
    const { io } = await redact({ input_dialogs: [], jq_redaction_query: "." });
    expect(io.vcon(1).analysis).toEqual([]);
  });

  it.each([
    ["empty", "does not give a vCon"],
    ['"text"', "does not give a vCon"],
    [".parties = 7", "not a valid vCon"],
    [".[", "syntax error"],
  ])("refuses what %s gives", async (jq_redaction_query, text) => {
    const error = await rejected(redact({ jq_redaction_query }));
    expect(error.code).toBe("invalid_query");
    expect(error.message).toContain(text);
  });

  it.each(["jq_redaction_query", "redaction_type_label"])("needs %s", async (option) => {
    expect((await rejected(redact({ [option]: "" }))).code).toBe("invalid_options");
  });
});
