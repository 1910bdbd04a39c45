import { readFileSync, statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, makeFolder, out, vcon } from "./run-vcon.ts";

const folder = makeFolder();
const at = (name: string) => folder.in(`keys/${name}`);
const other = (name: string) => folder.in(`other/${name}`);
let signed: string;

beforeAll(async () => {
  await out(["keys", folder.in("keys"), "--name", "calls.example.com"]);
  await out(["keys", folder.in("other")]);
  signed = await out(["sign", at("signer.key"), at("signer.crt"), at("intermediate.crt")], { input: call });
});
afterAll(() => folder.remove());

test("what went through sign, encrypt, decrypt and verify is what went in, byte for byte", async () => {
  expect(JSON.parse(signed)).toMatchObject({ payload: expect.any(String), signatures: [expect.anything()] });
  const encrypted = await out(["encrypt", at("signer.crt")], { input: signed });
  expect(JSON.parse(encrypted)).toMatchObject({ ciphertext: expect.any(String) });
  const decrypted = await out(["decrypt", at("signer.key"), at("signer.crt")], { input: encrypted });
  expect(decrypted).toBe(signed);
  expect(await out(["verify", at("ca.crt")], { input: decrypted })).toBe(call);
});

test("several recipients: each of them decrypts, nobody else", async () => {
  const encrypted = await out(["encrypt", at("signer.crt"), other("signer.crt")], { input: signed });
  expect(await out(["decrypt", at("signer.key")], { input: encrypted })).toBe(signed);
  expect(await out(["decrypt", other("signer.key")], { input: encrypted })).toBe(signed);
  const { code, stdout, stderr } = await vcon(["decrypt", other("ca.key")], { input: encrypted });
  expect([code, stdout.length]).toEqual([4, 0]);
  expect(stderr).toMatch(/^vcon: .+\n$/);
});

test("a signature of somebody who is not trusted, and a payload that was changed, end with status 3", async () => {
  expect(await vcon(["verify", other("ca.crt")], { input: signed })).toMatchObject({
    code: 3,
    stdout: Buffer.alloc(0),
  });
  const jws: { payload: string } = JSON.parse(signed);
  const changed = { ...jws, payload: Buffer.from(call.replace("Refund", "Thanks")).toString("base64url") };
  const { code, stderr } = await vcon(["verify", at("ca.crt")], { input: JSON.stringify(changed) });
  expect(code).toBe(3);
  expect(stderr).toMatch(/^vcon: .*signature/i);
});

test("keys are for their owner only, and are not overwritten", async () => {
  for (const name of ["ca.key", "intermediate.key", "signer.key"])
    expect(statSync(at(name)).mode & 0o777).toBe(0o600);
  const before = readFileSync(at("ca.key"), "utf8");
  expect(await vcon(["keys", folder.in("keys")])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("it is there already"),
  });
  expect(readFileSync(at("ca.key"), "utf8")).toBe(before);
});

test("keys on the P-256 curve sign too", async () => {
  await out(["keys", folder.in("ec"), "--type", "EC"]);
  const ec = (name: string) => folder.in(`ec/${name}`);
  const jws = await out(["sign", "--strict", ec("signer.key"), ec("signer.crt"), ec("intermediate.crt")], {
    input: call,
  });
  expect(await out(["verify", ec("ca.crt")], { input: jws })).toBe(call);
});

describe("in and out", () => {
  test("without a command the vCon comes out in the newest version; gzip is read too", async () => {
    expect(await out([], { input: call })).toBe(call);
    const old = {
      vcon: "0.0.1",
      uuid: "u",
      created_at: "2026-04-21T09:30:00Z",
      parties: [{ name: "Ann" }],
      dialog: [
        {
          type: "text",
          start: "2026-04-21T09:30:00Z",
          parties: 0,
          mimetype: "text/plain",
          body: "x",
          encoding: "none",
        },
      ],
    };
    const migrated = JSON.parse(await out([], { input: JSON.stringify(old) }));
    expect(migrated).toMatchObject({ vcon: "0.4.0", dialog: [{ mediatype: "text/plain" }] });
    const { gzipSync } = await import("node:zlib");
    expect(await out([], { input: gzipSync(call) })).toBe(call);
  });

  test("nothing at all is a new vCon, and so is -n; a vCon without a uuid gets one", async () => {
    for (const args of [[], ["-n"]]) {
      const made = JSON.parse(await out(args));
      expect(made).toMatchObject({ vcon: "0.4.0", parties: [], dialog: [], analysis: [], attachments: [] });
      expect(made.uuid).toMatch(/^[\da-f-]{36}$/);
    }
    expect(JSON.parse(await out([], { input: '{"parties":[]}' }))).toHaveProperty("uuid");
  });

  test("files, and options before or after the command", async () => {
    const [file, copy] = [folder.in("call.vcon"), folder.in("copy.vcon")];
    expect(await out(["-n", "-o", file])).toBe("");
    const made = readFileSync(file, "utf8");
    expect(await out(["-i", file])).toBe(made);
    expect(await out(["amend", "-i", file, "-o", copy])).toBe("");
    expect(JSON.parse(readFileSync(copy, "utf8")).amended).toEqual({ uuid: JSON.parse(made).uuid });
    expect(await vcon(["-n", "-i", file])).toMatchObject({
      code: 2,
      stderr: "vcon: Give one of -i, -g and -n only.\n",
    });
  });

  test("what a reader of the pipe does not want is no error", async () => {
    const { spawnSync } = await import("node:child_process");
    const main = new URL("../../src/command/main.ts", import.meta.url).pathname;
    const script = `"${process.execPath}" "${main}" -i "${folder.in("call.vcon")}" | head -c 10 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    expect(spawnSync("bash", ["-c", script]).stdout.toString()).toBe("0\n");
  });
});

test("100 MB go through a pipe unchanged", async () => {
  const vconText = JSON.stringify({
    ...JSON.parse(call),
    dialog: [
      {
        type: "recording",
        parties: 0,
        mediatype: "audio/x-wav",
        encoding: "base64url",
        body: "UklG".repeat(25_000_000),
      },
    ],
  });
  const { code, stdout } = await vcon([], { input: vconText });
  expect(code).toBe(0);
  expect(stdout.equals(Buffer.from(vconText))).toBe(true);
});
