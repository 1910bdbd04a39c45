import { afterEach, describe, expect, it } from "vitest";
import { SmtpDouble } from "../../doubles/smtp-server.ts";
import type { RunProcessor } from "../run-processor.ts";
import { encrypted, signed, vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";
import { sendThrough, textOf } from "./send-through.ts";

const open = await SmtpDouble.start();
afterEach(() => open.reset());

function send(options: object, run?: Partial<RunProcessor>) {
  return sendThrough(open, options, run);
}

describe("the mail", () => {
  it("goes to all recipients, and says nothing of the blind ones", async () => {
    const run = await send(
      {
        to: ["First Last <first@shop.example>", "second@shop.example, third@shop.example", ""],
        cc: "Zoë <cc@shop.example>",
        bcc: ["hidden@shop.example", "first@shop.example"],
        reply_to: "answers@shop.example",
        subject: "Größe\r\nBcc: evil@shop.example",
        text_body: ".\r\nThe end → 50 %",
        client_hostname: "calls.shop.example",
      },
      { parameters: { kept: 1 } },
    );
    const [received, ...more] = open.received;
    expect(more).toEqual([]);
    expect(received).toMatchObject({ sender: "calls@shop.example", greeting: "calls.shop.example" });
    expect(received?.recipients).toEqual(
      ["first", "second", "third", "cc", "hidden"].map((name) => `${name}@shop.example`),
    );
    expect(received?.mail).toMatchObject({
      from: { name: "Calls", address: "calls@shop.example" },
      to: [{ name: "First Last", address: "first@shop.example" }, {}, { address: "third@shop.example" }],
      cc: [{ name: "Zoë", address: "cc@shop.example" }],
      replyTo: [{ address: "answers@shop.example" }],
      subject: "Größe Bcc: evil@shop.example",
      text: expect.stringContaining("The end → 50 %"),
    });
    expect(received?.raw).not.toMatch(/^bcc:/im);
    expect(received?.raw).not.toContain("hidden");
    expect(run.io.toOutput().parameters).toEqual({ kept: 1 });
  });

  it("has plain text and HTML", async () => {
    await send({ text_body: "plain", html_body: "<p>rich</p>" });
    expect(open.received[0]?.mail).toMatchObject({ text: "plain\n", html: "<p>rich</p>\n" });
  });

  it("has the same Message-ID when it is sent again, and another when it says something else", async () => {
    const about = { text_body: "one", attachments: [{ part: "vcon" }] };
    await send(about, { vcons: [vcon("a")] });
    await send(about, { vcons: [vcon("a")] });
    await send({ ...about, text_body: "two" }, { vcons: [vcon("a")] });
    await send(about, { vcons: [vcon("b")] });
    const [first, again, ...others] = open.received.map((received) => received.mail.messageId);
    expect(first).toMatch(/^<[0-9a-f]{40}@shop\.example>$/);
    expect(again).toBe(first);
    expect(new Set([first, ...others]).size).toBe(3);
  });

  it.each([signed("s"), encrypted("e")])("takes vCons in any state", async (given) => {
    await send({ attachments: [{ part: "vcon" }] }, { vcons: [given] });
    const [file] = open.received[0]?.mail.attachments ?? [];
    expect(textOf(file)).toBe(JSON.stringify(given));
  });

  it.each([
    [{ to: [] }, "no recipients"],
    [{ from_address: "" }, "SMTP_FROM"],
    [{ from_address: "a@x.example, b@x.example" }, "one sender"],
    [{ to: ["a@x.example\r\nBcc: b@x.example"] }, "to: "],
    [{ cc: ["nobody"] }, 'cc: "nobody" is no e-mail address'],
    [{ bcc: '"a@evil.example x"@shop.example' }, "bcc: "],
    [{ smtp_user: "me" }, "smtp_user and smtp_password"],
    [{ attachments: [{ part: "analysis", index: 3 }] }, "no analysis 3, it has 0"],
    [{ smtp_host: "" }, "smtp_host, or SMTP_HOST"],
  ])("is not sent with %j", async (options, text) => {
    const error = await rejected(send(options, { vcons: [vcon("a")] }));
    expect(error.code).toBe("invalid_options");
    expect(error.message).toContain(text);
    expect(open.connections).toBe(0);
  });
});

describe("the server", () => {
  it("must be allowed when its address is private", async () => {
    const error = await rejected(send({}, { env: { FETCH_ALLOW: "" } }));
    expect(error.code).toBe("fetch_refused");
    expect(error.message).toContain("FETCH_ALLOW");
    expect(open.connections).toBe(0);
  });

  it("may be private when the operator chose it, port included", async () => {
    const env = { FETCH_ALLOW: "", SMTP_HOST: "127.0.0.1", SMTP_PORT: `${open.port}` };
    const from = { from_address: "", smtp_host: "", smtp_port: 0 };
    await send(from, { env: { ...env, SMTP_FROM: "Server <server@shop.example>" } });
    expect(open.received[0]?.sender).toBe("server@shop.example");
    const error = await rejected(
      send({ smtp_host: "", smtp_port: open.port }, { env: { ...env, SMTP_PORT: "25" } }),
    );
    expect(error.code).toBe("fetch_refused");
  });

  it.each([
    ["421 4.3.2 too busy", "connect"],
    ["450 4.2.1 greylisted", "recipient"],
    ["451 4.3.0 try again later", "data"],
    ["hang up", "recipient"],
  ])("is asked again after %s at %s", async (answer, at) => {
    open.trouble = (event) => (event.at === at && event.connection === 1 ? answer : undefined);
    await send({});
    expect(open.received).toHaveLength(1);
    expect(open.connections).toBe(2);
  });

  it("is given up after PROVIDER_RETRIES", async () => {
    open.trouble = ({ at }) => (at === "data" ? "451 4.3.0 try again later" : undefined);
    const error = await rejected(send({}));
    expect(error).toMatchObject({
      code: "provider_failed",
      message: "smtp 127.0.0.1 answered 451: 4.3.0 try again later",
    });
    expect(open.connections).toBe(3);
  });

  it.each([
    ["550 5.1.1 no such user", "recipient", "answered 550 for team@shop.example: 5.1.1 no such user"],
    [`554 5.7.1 ${"x".repeat(450)} ${"y".repeat(450)}`, "data", "answered 554: 5.7.1 xxx"],
  ])("is not asked again after a refusal for good at %2$s", async (answer, at, text) => {
    open.trouble = (event) => (event.at === at ? answer : undefined);
    const error = await rejected(send({}));
    expect(error.code).toBe("provider_failed");
    expect(error.message).toContain(`smtp 127.0.0.1 ${text}`);
    expect(error.message.length).toBeLessThan(560);
    expect(open.connections).toBe(1);
  });

  it("gets a mail for some recipients again only for those who do not have it", async () => {
    open.trouble = ({ address, connection }) => {
      if (address === "slow@shop.example" && connection === 1) return "450 4.2.1 greylisted";
      return address === "gone@shop.example" ? "550 5.1.1 gone" : undefined;
    };
    const to = ["team@shop.example", "slow@shop.example", "gone@shop.example"];
    const error = await rejected(send({ to }));
    expect(open.received.map(({ recipients }) => recipients)).toEqual([
      ["team@shop.example"],
      ["slow@shop.example"],
    ]);
    expect(error.message).toBe(
      "smtp 127.0.0.1 answered 550 for gone@shop.example: 5.1.1 gone; the mail went to the other recipients (2)",
    );
  });

  it("is not asked again when nobody knows whether it took the mail", async () => {
    open.trouble = ({ at }) => (at === "data" ? "hang up" : undefined);
    const error = await rejected(send({}));
    expect(error.message).toContain("whether it took the mail is not known");
    expect(open.connections).toBe(1);
  });

  it("has PROVIDER_TIMEOUT_SECONDS to answer", async () => {
    open.trouble = () => "hang";
    const env = { PROVIDER_TIMEOUT_SECONDS: "0.2", PROVIDER_RETRIES: "0" };
    expect(await rejected(send({}, { env }))).toMatchObject({
      code: "provider_failed",
      message: "smtp 127.0.0.1 gave no complete answer within 0.2 s",
    });
  });

  it("is asked again after silence", async () => {
    open.trouble = ({ connection }) => (connection === 1 ? "hang" : undefined);
    await send({}, { env: { PROVIDER_TIMEOUT_SECONDS: "1" } });
    expect(open.received).toHaveLength(1);
  });

  it("is left when the run is cancelled", async () => {
    open.trouble = ({ at }) => (at === "recipient" ? "hang" : undefined);
    const cancel = new AbortController();
    const sending = rejected(send({}, { signal: cancel.signal }));
    await open.hung();
    cancel.abort();
    expect((await sending).code).toBe("run_cancelled");
    expect(open.connections).toBe(1);
  });

  it("may be down", async () => {
    const down = await SmtpDouble.start();
    const options = down.options;
    await down.stop();
    const error = await rejected(send(options, { env: { FETCH_ALLOW: "127.0.0.1" } }));
    expect(error.code).toBe("provider_failed");
    expect(error.message).toContain("smtp 127.0.0.1 failed: connect ECONNREFUSED");
  });
});
