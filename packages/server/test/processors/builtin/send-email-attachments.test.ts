import { afterEach, describe, expect, it } from "vitest";
import { SmtpDouble } from "../../doubles/smtp-server.ts";
import { signed, vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";
import { sendThrough, textOf } from "./send-through.ts";

const open = await SmtpDouble.start();
afterEach(() => open.reset());

describe("attachments", () => {
  const kept = "https://media.example/kept.wav";
  const full = {
    ...vcon("a"),
    dialog: [
      ...(vcon("a").dialog ?? []),
      { type: "incomplete", start: "2026-03-02T09:16:00Z", parties: 0, disposition: "no-answer" },
      { type: "recording", start: "2026-03-02T09:17:00Z", parties: 0, mediatype: "audio/x-wav", url: kept },
    ],
    analysis: [
      { type: "summary", vendor: "x", body: "Kurz: schön", encoding: "none", mediatype: "text/plain" },
      { type: "facts", vendor: "x", body: { a: 1 }, encoding: "json", filename: "../../etc/.fa\ncts?.json" },
    ],
    attachments: [
      { purpose: "mail", body: "RnJvbTogYQ", encoding: "base64url", mediatype: "message/rfc822" },
      { purpose: "elsewhere", url: "https://127.0.0.1:1/x", mediatype: "text/plain" },
    ],
  };
  const media = {
    put: () => Promise.reject(new Error("nothing is put")),
    get: async (url: string) => (url === kept ? new TextEncoder().encode("RIFF") : undefined),
  };
  const attach = (attachments: readonly object[]) =>
    sendThrough(open, { attachments }, { vcons: [full], media });
  const files = () => open.received[0]?.mail.attachments ?? [];

  it("are one entry, all of a part that have content, or the whole", async () => {
    await attach([
      { part: "analysis", index: 1 },
      { part: "dialog" },
      { part: "attachments", index: 0 },
      { part: "vcon" },
    ]);
    expect(files().map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
      ["fa_cts_.json", "application/json"],
      ["dialog-0.txt", "text/plain"],
      ["dialog-1.txt", "text/plain"],
      ["dialog-3.wav", "audio/x-wav"],
      ["attachments-0.bin", "application/octet-stream"],
      ["a.vcon.json", "application/vcon"],
    ]);
    expect(files().map(textOf).slice(0, 5)).toEqual([
      '{"a":1}',
      "When does my order arrive?",
      "On Thursday.",
      "RIFF",
      "From: a",
    ]);
    expect(JSON.parse(textOf(files()[5]))).toEqual(full);
  });

  it("keep their characters", async () => {
    await attach([{ part: "analysis", index: 0 }]);
    expect(textOf(files()[0])).toBe("Kurz: schön");
    expect(open.received[0]?.raw).toMatch(/text\/plain; charset=utf-8/i);
  });

  it("are fetched by the guard's rules", async () => {
    const error = await rejected(attach([{ part: "attachments", index: 1 }]));
    expect(error.message).toContain("FETCH_ALLOW");
    expect(open.received).toEqual([]);
  });

  it("need a vCon that can be read, and one that is there", async () => {
    const attachments = [{ part: "dialog" }];
    expect((await rejected(sendThrough(open, { attachments }, { vcons: [signed("s")] }))).code).toBe(
      "invalid_vcon_state",
    );
    expect((await rejected(sendThrough(open, { attachments }))).code).toBe("vcon_not_found");
  });

  it("have a limit", async () => {
    const body = "x".repeat(51 * 1024 * 1024);
    const large = { ...vcon("a"), analysis: [{ type: "t", vendor: "x", encoding: "none", body }] };
    const error = await rejected(
      sendThrough(open, { attachments: [{ part: "analysis" }] }, { vcons: [large] }),
    );
    expect(error.code).toBe("too_large");
  });
});
