import { parse, type UnsignedDocument, validate } from "@vconductor/vcon";
import { makeTestCertificates, sign, verify } from "@vconductor/vcon/security";
import { phrases } from "../document.ts";
import type { Bench, Measured, Row } from "../row.ts";

/* The library by itself, in this process and on one core, beside JSON.parse of the same bytes. */

const bytes = 50_000;

export const parseAndValidate: Row = {
  name: "parse",
  title: "library: parse and validate a vCon of 50 kB",
  unit: "ms",
  floor: 1,
  async measure(bench) {
    const text = conversation();
    return measureBeside(bench, text, async () => {
      validate((await parseText(text)).vcon);
    });
  },
};

export const signAndVerify: Row = {
  name: "sign",
  title: "library: sign (RS256) and verify a vCon of 50 kB",
  unit: "ms",
  floor: 4,
  async measure(bench) {
    const { ca, intermediate, leaf } = await makeTestCertificates({ name: "bench.example.com" });
    const text = conversation();
    const document = await parseText(text);
    const chain = [leaf.certificate, intermediate.certificate];
    return measureBeside(bench, text, async () => {
      const { jws } = await sign(document, { key: leaf.key, chain });
      const read = await parse(JSON.stringify(jws));
      if (read.state !== "unverified") throw new Error("it is not signed");
      await verify(read, { trust: ca.certificate });
    });
  },
};

async function parseText(text: string): Promise<UnsignedDocument> {
  const document = await parse(text);
  if (document.state !== "unsigned") throw new Error("it is sealed");
  return document;
}

/** A chat of as many messages as fit. */
function conversation(): string {
  const dialog: object[] = [];
  const vcon = {
    vcon: "0.4.0",
    uuid: "019daf60-0b52-8b85-b708-0d221ebaf96f",
    created_at: "2026-04-21T09:30:00Z",
    subject: "",
    parties: [
      { name: "Maya Lindqvist", mailto: "maya.lindqvist@support.example.com", validation: "none" },
      { name: "Daniel Okafor", tel: "tel:+12025550101", validation: "none" },
    ],
    dialog,
    analysis: [],
    attachments: [],
  };
  for (let at = 0, size = JSON.stringify(vcon).length; ; at += 1) {
    const message = {
      type: "text",
      start: new Date(Date.UTC(2026, 3, 21, 9) + at * 20_500).toISOString().replace(".000Z", "Z"),
      parties: at % 2 === 0 ? [0, 1] : [1, 0],
      mediatype: "text/plain",
      encoding: "none",
      body: phrases[(at * 7) % phrases.length] ?? "",
    };
    size += JSON.stringify(message).length + 1;
    if (size > bytes) break;
    dialog.push(message);
  }
  const short = bytes - JSON.stringify(vcon).length;
  return JSON.stringify({ ...vcon, subject: "-".repeat(short) });
}

async function measureBeside(
  { plan, signal }: Bench,
  text: string,
  once: () => Promise<void>,
): Promise<Measured> {
  await loop({ ms: plan.warmUpMs, signal, once });
  const rounds: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < plan.rounds; round += 1) {
    rounds.push(await loop({ ms: plan.roundMs, signal, once }));
    plain.push(await loop({ ms: plan.roundMs / 4, signal, once: async () => JSON.parse(text) }));
  }
  const result = median(rounds);
  const parsed = median(plain);
  return { result, rounds, details: { bytes: text.length }, beside: { what: "JSON.parse", ms: parsed } };
}

/** Milliseconds that it takes, on average over the time given. */
async function loop({
  ms,
  signal,
  once,
}: {
  readonly ms: number;
  readonly signal: AbortSignal;
  readonly once: () => Promise<void>;
}): Promise<number> {
  const begun = performance.now();
  let count = 0;
  do {
    signal.throwIfAborted();
    await once();
    count += 1;
  } while (performance.now() - begun < ms);
  return (performance.now() - begun) / count;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
