import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  conversationStats,
  type JsonObject,
  migrate,
  readVcon,
  rewrite,
  toVersion,
  transcript,
  VconError,
} from "../src/index.ts";

/* A conformance run over the working group's and the reference server's own files. They are not part of this project. */
const folder = new URL("../../../../shared/data/", import.meta.url);
const present = existsSync(folder);
if (!present) console.warn("Skipped: the reference data (../shared/data beside the checkout) is not here.");
const run = test.skipIf(!present);

const notVcons = new Map([
  ["ietf-examples/simple-vcon.vcon", "not_a_vcon"],
  ["ietf-examples/ab.vcon", "no_uuid"],
  ["reference/pre_0.0.1_vcon_trans.vcon", "no_uuid"],
]);

function names(): readonly string[] {
  return ["ietf-examples", "reference"].flatMap((part) =>
    readdirSync(new URL(`${part}/`, folder))
      .filter((name) => name.endsWith(".vcon"))
      .map((name) => `${part}/${name}`),
  );
}

function text(name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}

function newest(name: string): JsonObject {
  return migrate(readVcon(text(name)).value);
}

run("every file that is a vCon reads, migrates and converts; the others say why not", () => {
  expect(names().length).toBeGreaterThan(15);
  for (const name of names()) {
    const code = notVcons.get(name);
    if (code !== undefined) {
      expect(() => readVcon(text(name)), name).toThrow(
        expect.objectContaining({ name: VconError.name, code }),
      );
      continue;
    }
    const { form, value } = readVcon(text(name));
    expect(form, name).toBe(
      /signed|_decrypted\.vcon$/.test(name) ? "signed" : /encrypted/.test(name) ? "encrypted" : "unsigned",
    );
    conversationStats(migrate(value));
    toVersion(value, "0.0.2");
  }
});

run("a member added to any file leaves the rest of its text alone", () => {
  for (const name of names()) {
    const source = text(name);
    const result = rewrite({
      text: source,
      original: JSON.parse(source),
      changed: { ...JSON.parse(source), added: 1 },
    });
    const head = source.trimEnd().slice(0, -1).trimEnd();
    expect(result.startsWith(head), name).toBe(true);
    expect(JSON.parse(result)).toEqual({ ...JSON.parse(source), added: 1 });
  }
});

run("hello-0.0.1 migrates", () => {
  const before = readVcon(text("reference/hello-0.0.1.vcon")).value;
  const { group: _group, redacted: _redacted, ...kept } = before;
  const dialog = migrate(before).dialog;
  expect(dialog).toMatchObject([
    { mediatype: "audio/x-wav", start: "2023-08-22T19:01:50.988+00:00", encoding: "base64url" },
  ]);
  expect(migrate(before)).toEqual({ ...kept, vcon: "0.4.0", dialog });
});

run("ab_call_ext_rec_0.0.1 migrates", () => {
  const digest = "Re9R7UWKaD7yN9kxoYLbFFNSKU8XfH18NFbTc3AgT4_aBubMtvGUEtRmP6XUxSS3Nl4LU-1mOCtezoTHQ67cVQ";
  const content_hash = `sha512-${digest}`;
  expect(newest("reference/ab_call_ext_rec_0.0.1.vcon")).toMatchObject({
    vcon: "0.4.0",
    dialog: [{ mediatype: "audio/x-wav", content_hash, start: "2022-06-21T17:53:26.000+00:00" }],
    analysis: [
      {
        type: "transcript",
        body: "{}",
        encoding: "none",
        schema: "bobject",
        product: "bob",
        mediatype: "application/foo",
        content_hash,
      },
      {
        type: "transcript",
        body: "{}",
        encoding: "none",
        vendor: "openai",
        product: "whisper",
        mediatype: "application/foo",
        content_hash,
      },
    ],
    attachments: [{ mediatype: "application/bar", content_hash }],
  });
  const { vcon } = toVersion(readVcon(text("reference/ab_call_ext_rec_0.0.1.vcon")).value, "0.0.2");
  expect(vcon).toMatchObject({ vcon: "0.0.2", dialog: [{ content_hash }], attachments: [{ content_hash }] });
});

run("a real Deepgram response gives both speakers' turns", () => {
  const turns = transcript(newest("reference/example_deepgram_external_dialog.vcon"));
  expect(turns).toHaveLength(62);
  expect(turns[0]).toMatchObject({
    party: 0,
    partyLabel: "Dana",
    start: Date.parse("2023-08-31T18:26:37.787Z"),
    source: "deepgram",
  });
  expect(new Set(turns.map((turn) => turn.party))).toEqual(new Set([0, 1]));
});

run("real e-mails give their plain text", () => {
  const turns = transcript(newest("ietf-examples/ab_email_acct_prob_thread.vcon"));
  expect(turns.map((turn) => turn.partyLabel)).toEqual(["Bob", "Alice"]);
  expect(turns[0]?.text).toContain("Please find the image attached.");
});
