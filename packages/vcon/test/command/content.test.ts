import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeTestCertificates } from "../../src/security/test-certificates.ts";
import { call, makeFolder, out, vcon } from "./run-vcon.ts";

const folder = makeFolder();
const fixture = new URL("../fixtures/media/", import.meta.url).pathname;
const wav = `${fixture}tone.wav`;

beforeAll(() => {
  copyFileSync(wav, folder.in("tone.wav"));
  writeFileSync(folder.in("call.vcon"), call);
});
afterAll(() => folder.remove());

async function json(args: readonly string[], input = call) {
  return JSON.parse(await out(args, { input, cwd: folder.path }));
}

describe("add", () => {
  test("a recording inside the vCon, with its length; extract gives the very file back", async () => {
    const text = await out(["add", "in-recording", wav, "2026-03-04T10:00:00+01:00", "[[0],[1]]"], {
      input: call,
    });
    expect(JSON.parse(text).dialog[1]).toEqual({
      type: "recording",
      mediatype: "audio/x-wav",
      duration: 1.5,
      filename: "tone.wav",
      start: "2026-03-04T09:00:00Z",
      parties: [[0], [1]],
      body: readFileSync(wav).toString("base64url"),
      encoding: "base64url",
    });
    const { stdout } = await vcon(["extract", "dialog", "1"], { input: text });
    expect(stdout.equals(readFileSync(wav))).toBe(true);
  });

  test("a party that is not there is added, and said so", async () => {
    const { code, stdout, stderr } = await vcon([
      "-n",
      "add",
      "in-recording",
      wav,
      "2026-03-04T10:00:00Z",
      "1",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString()).parties).toEqual([{}, {}]);
    expect(stderr).toBe(
      "vcon: party 0 was not there; it was added without a name.\nvcon: party 1 was not there; it was added without a name.\n",
    );
  });

  test("a recording elsewhere: hash and length, not the file; extract and hash --check fetch it", async () => {
    let answer: Buffer = readFileSync(wav);
    const { ca, leaf, intermediate } = await makeTestCertificates({ name: "localhost" });
    writeFileSync(folder.in("server-ca.crt"), ca.certificate);
    const env = { NODE_EXTRA_CA_CERTS: folder.in("server-ca.crt") };
    const server = createServer(
      { cert: leaf.certificate + intermediate.certificate, key: leaf.key },
      (_request, response) => response.end(answer),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `https://localhost:${typeof address === "object" ? address?.port : 0}/tone.wav`;
    try {
      const text = await out(["add", "ex-recording", wav, "2026-03-04T10:00:00Z", "0", url], { input: call });
      const dialog = JSON.parse(text).dialog[1];
      expect(dialog).toMatchObject({ url, duration: 1.5, content_hash: (await out(["hash", wav])).trim() });
      expect(dialog).not.toHaveProperty("body");
      expect((await vcon(["extract", "dialog", "1"], { input: text, env })).stdout.equals(answer)).toBe(true);
      expect(await out(["hash", "--check"], { input: text, env })).toBe("dialog[1]: good\n");
      answer = Buffer.from("something else");
      expect(await vcon(["extract", "dialog", "1"], { input: text, env })).toMatchObject({ code: 3 });
      const checked = await vcon(["hash", "--check"], { input: text, env });
      expect(checked).toMatchObject({ code: 3, stderr: "vcon: 1 of 1 contents are not confirmed.\n" });
      expect(await vcon(["hash", "--check"], { input: text })).toMatchObject({ code: 5 });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("party, tag and attachment", async () => {
    const withParty = await out(["add", "party", '{"name":"Cara"}'], { input: call });
    const withTag = await out(["add", "tag", "queue:support", "vip"], { input: withParty });
    const made = await json(
      ["add", "attachment", "tone.wav", "--purpose", "sample", "--party", "2"],
      withTag,
    );
    expect(made.parties[2]).toEqual({ name: "Cara" });
    expect(made.attachments).toMatchObject([
      { purpose: "tags", body: ["queue:support", "vip"] },
      {
        purpose: "sample",
        party: 2,
        dialog: 0,
        filename: "tone.wav",
        mediatype: "audio/x-wav",
        encoding: "base64url",
      },
    ]);
    expect(await vcon(["add", "attachment", wav, "--party", "9"], { input: call })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("9 points nowhere"),
    });
  });

  test("e-mail, Zoom folder, Meet recording, and files by their kind", async () => {
    writeFileSync(
      folder.in("mail.eml"),
      "From: Ann <ann@example.com>\nTo: bob@example.org\nSubject: Hi\nDate: Wed, 4 Mar 2026 10:00:00 +0000\n\nHello\n",
    );
    expect(await json(["-n", "add", "in-email", "mail.eml"])).toMatchObject({
      subject: "Hi",
      dialog: [{ type: "text" }],
    });
    mkdirSync(folder.in("2026-03-04 10.00.00 Weekly sync"), { recursive: true });
    copyFileSync(`${fixture}meeting.mp4`, folder.in("2026-03-04 10.00.00 Weekly sync/video1.mp4"));
    expect(await json(["-n", "add", "in-zoom", "2026-03-04 10.00.00 Weekly sync"])).toMatchObject({
      subject: "Weekly sync",
      dialog: [{ type: "recording" }],
    });
    const meet = "Sync (2026-03-04 at 10:02 GMT) (abc).mp4";
    copyFileSync(`${fixture}meeting.mp4`, folder.in(meet));
    writeFileSync(folder.in("Sync (2026-03-04 at 10:02 GMT)"), "00:00:01.000,00:00:02.000\nAnn: Hi\n");
    expect(await json(["-n", "add", "in-meet", meet])).toMatchObject({
      subject: "Sync",
      dialog: [{ type: "recording" }, { body: "Hi" }],
    });
    expect(await vcon(["-n", "add", "in-meet", "mail.eml"], { cwd: folder.path })).toMatchObject({ code: 7 });
    writeFileSync(folder.in("chat.txt"), "[04.03.26, 10:00:00] Ann: Hello\n");
    const both = await json(["-n", "add", "in-file", "mail.eml", "chat.txt", "--timezone", "+02:00"]);
    expect(both.dialog).toMatchObject([
      { start: "2026-03-04T10:00:00Z" },
      { start: "2026-03-04T08:00:00Z", body: "Hello" },
    ]);
  });
});

describe("filter", () => {
  test("several, each with its own options, one after the other", async () => {
    const made = await json([
      "filter",
      "create_amended",
      "filter",
      "jq_redaction",
      "-fo",
      '{"jq_redaction_query":"del(.subject)","redaction_type_label":"subject"}',
    ]);
    expect(made).not.toHaveProperty("subject");
    expect(made.redacted).toMatchObject({ type: "subject" });
    expect(made.redacted.uuid).not.toBe(JSON.parse(call).uuid);
  });

  test("options from a file, and PEM files by their names", async () => {
    await out(["keys", folder.in("k")]);
    writeFileSync(
      folder.in("sign.json"),
      '{"private_pem_key":"k/signer.key","cert_chain_pems":["k/signer.crt","k/intermediate.crt"]}',
    );
    const signed = await out(["filter", "signfilter", "-fo", "@sign.json"], {
      input: call,
      cwd: folder.path,
    });
    expect(
      await out(["filter", "verify", "-fo", '{"allowed_ca_cert_pems":["k/ca.crt"]}'], {
        input: signed,
        cwd: folder.path,
      }),
    ).toBe(call);
  });

  test("one's own: an object, a function and a class, with options of its own", async () => {
    writeFileSync(
      folder.in("shout.mjs"),
      `const options = { type: "object", properties: { mark: { type: "string", default: "!" } } };
const base = { title: "Shout", description: "", version: "1.0.0", options };
export const shout = { ...base, name: "shout", apply: (vcon, { mark }) => ({ ...vcon, subject: vcon.subject.toUpperCase() + mark }) };
export function made(init) { return { ...shout, apply: (vcon) => ({ ...vcon, subject: init.word }) }; }
export class Made { name = "made"; title = "Made"; options = options; constructor(init) { this.init = init; } apply(vcon) { return { ...vcon, subject: this.init.word }; } }
export const wrong = 1;
`,
    );
    const registered = (exported: string, init: string) => [
      "-r",
      "mine",
      "./shout.mjs",
      exported,
      init,
      "filter",
      "mine",
    ];
    expect((await json(registered("shout", "{}"))).subject).toBe("REFUND!");
    expect((await json(registered("shout", '{"mark":"?"}'))).subject).toBe("REFUND?");
    expect((await json([...registered("shout", '{"mark":"?"}'), "-fo", '{"mark":"."}'])).subject).toBe(
      "REFUND.",
    );
    expect((await json(registered("made", '{"word":"a"}'))).subject).toBe("a");
    expect((await json(registered("Made", '{"word":"b"}'))).subject).toBe("b");
    expect(await vcon(registered("wrong", "{}"), { input: call, cwd: folder.path })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is no filter"),
    });
    expect(await vcon(registered("nope", "{}"), { input: call, cwd: folder.path })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("exports no nope, only Made, made, shout, wrong"),
    });
  });

  test("the list of them", async () => {
    expect(await out(["filter", "--list"])).toMatch(/^redact_pii +Makes a redacted vCon/m);
  });
});

describe("redact", () => {
  test("personal data, with a report of what was found where", async () => {
    const report = folder.in("report.json");
    const { code, stdout, stderr } = await vcon(["redact", "--pii", "--report", report], { input: call });
    expect(code).toBe(0);
    expect(stdout.toString()).not.toMatch(/ann@example\.com|Ann Lee|2025550101/);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      redacted: { uuid: JSON.parse(call).uuid, type: "PII" },
    });
    expect(stderr).toMatch(/^vcon: redacted .*1 EMAIL_ADDRESS/);
    expect(JSON.parse(readFileSync(report, "utf8"))).toMatchObject({ counts: { EMAIL_ADDRESS: 1 } });
  });

  test("a selection, and a jq program, and both with personal data", async () => {
    const chosen = await json([
      "redact",
      "--type",
      "text",
      "--dialog",
      "text",
      "--keep",
      "name",
      "--subject",
    ]);
    expect(chosen).toMatchObject({
      parties: [{ name: "Ann Lee" }, { name: "Bob Stone" }],
      redacted: { type: "text" },
    });
    expect(chosen).not.toHaveProperty("subject");
    expect(chosen.dialog[0]).not.toHaveProperty("body");
    expect(await json(["redact", "--type", "x", "--jq", ".subject = null", "--pii"])).toMatchObject({
      subject: null,
      parties: [{ name: "anonymous" }, { name: "anonymous" }],
      redacted: { type: "x", uuid: JSON.parse(call).uuid },
    });
  });
});

describe("look", () => {
  test("validate says what is wrong, where and by which rule; its status tells", async () => {
    expect(await vcon(["validate", folder.in("call.vcon")])).toMatchObject({
      code: 0,
      stdout: Buffer.from("No findings.\n"),
    });
    const bad = call.replace('"type":"text",', '"type":"nonsense",');
    const ended = await vcon(["validate"], { input: bad });
    expect(ended.code).toBe(1);
    expect(ended.stdout.toString()).toMatch(
      /^error: dialog\[0\]\.type: .*nonsense.* \[dialog-type, Dialog Object \/ type\]\n[\s\S]*1 error, \d+ warnings?\.\n$/,
    );
    expect(await vcon(["validate", "--lenient"], { input: bad })).toMatchObject({ code: 0 });
    const findings = JSON.parse((await vcon(["validate", "--json"], { input: bad })).stdout.toString());
    expect(findings[0]).toMatchObject({
      path: ["dialog", 0, "type"],
      rule: "dialog-type",
      severity: "error",
    });
  });

  test("an older version is checked as what it becomes, and said so", async () => {
    const old = JSON.parse(await out(["convert", "--to", "0.0.2"], { input: call }));
    expect(old).toMatchObject({ vcon: "0.0.2", dialog: [{ type: "text" }] });
    expect(await out(["validate"], { input: JSON.stringify(old) })).toContain(
      "Version 0.0.2 was checked as 0.4.0.",
    );
  });

  test("show is plain in a pipe, and in colours when asked for", async () => {
    const plain = await out(["show", folder.in("call.vcon")]);
    expect(plain).toContain("Refund");
    expect(plain).toContain("Mail ann@example.com please.");
    expect(plain).not.toContain("\u001b[");
    expect(await out(["show"], { input: call, env: { FORCE_COLOR: "1" } })).toContain("\u001b[");
  });

  test("hash is what the draft wants, and what others compute", async () => {
    const { createHash } = await import("node:crypto");
    const digest = (name: string) => createHash(name).update(readFileSync(wav)).digest("base64url");
    expect(await out(["hash", wav])).toBe(`sha512-${digest("sha512")}\n`);
    expect(await out(["hash", "--algorithm", "sha256"], { input: readFileSync(wav) })).toBe(
      `sha256-${digest("sha256")}\n`,
    );
  });
});
