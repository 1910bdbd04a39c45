import { readFileSync } from "node:fs";
import { fromContent, isVcon, type JsonObject, readTags, toValue, type Vcon } from "@vconductor/vcon";
import { encrypt, makeTestCertificates, sign } from "@vconductor/vcon/security";
import { expect } from "vitest";
import type { Ran } from "../processors/run-processor.ts";

/** What the example of a processor needs, and what it is to do. */
export interface Expectation {
  /** The server's environment: keys, FETCH_ALLOW, addresses of doubles of the providers. */
  readonly env?: Readonly<Record<string, string>>;
  readonly parameters?: JsonObject;
  /** Default: the sample conversation. */
  readonly vcon?: JsonObject;
  /** The run is to fail with a message like this. Default: it is to succeed. */
  readonly fails?: RegExp;
  /** Asserts, with Vitest's `expect`, on what there is after a run that succeeded. */
  readonly expect?: (ran: Ran) => void | Promise<void>;
}

/**
 * By name of the processor. One whose example needs a provider is a function that starts a double of it; that is
 * stopped with Vitest's `onTestFinished`.
 */
export const expectations: Readonly<Record<string, Expectation | (() => Promise<Expectation>)>> = {
  call_pipeline: { fails: /there are no pipelines here/ },
  condition: { expect: ({ flow }) => expect(flow).toEqual([]) },
  conversation_stats: {
    expect: ({ io }) => expect(io.vcon(0).analysis).toMatchObject([{}, { type: "conversation_stats" }]),
  },
  create_amended: {
    expect: ({ io }) => expect(io.vcon(1)).toMatchObject({ amended: { uuid: sample().uuid } }),
  },
  decrypt: async () => {
    const { leaf } = await certificates();
    const { jws } = await signedSample();
    const sealed = await encrypt(jws, { recipients: [leaf.certificate] });
    return {
      vcon: toValue(sealed),
      env: { DECRYPTION_KEY: leaf.key },
      expect: ({ io }) => expect(io.state(0)).toBe("unverified"),
    };
  },
  encrypt: async () => ({
    vcon: toValue((await signedSample()).jws),
    env: { RECIPIENT_CERTIFICATE: (await certificates()).leaf.certificate },
    expect: ({ io }) => expect(io.state(0)).toBe("encrypted"),
  }),
  jq: {
    expect: ({ io }) =>
      expect(Object.fromEntries(io.parameters)).toEqual({
        turns: 1,
        subject: "Internet connection drops every evening",
      }),
  },
  jq_redaction: {
    expect: ({ io }) => {
      expect(io.vcon(0)).toEqual(sample());
      expect(io.vcon(1)).toMatchObject({
        parties: [{ name: "Maya Lindqvist" }, { name: "Daniel Okafor" }],
        redacted: { uuid: sample().uuid, type: "addresses" },
      });
    },
  },
  queue_job: {
    expect: ({ io }) => expect(io.queuedJobs).toMatchObject([{ queue: "archive", uuids: [sample().uuid] }]),
  },
  redact: {
    expect: ({ io }) => {
      expect(io.vcon(0)).toEqual(sample());
      expect(JSON.stringify(io.vcon(1))).not.toMatch(/Okafor|555-0147/);
    },
  },
  // This conversation is among the nine of ten.
  sampler: { expect: ({ flow }) => expect(flow).toEqual(["stop"]) },
  set_parameters: {
    expect: ({ io }) => expect(Object.fromEntries(io.parameters)).toEqual({ team: "support" }),
  },
  sign: async () => {
    const { leaf, intermediate } = await certificates();
    return {
      env: {
        SIGNING_KEY: leaf.key,
        SIGNING_CERTIFICATE: leaf.certificate,
        INTERMEDIATE_CERTIFICATE: intermediate.certificate,
      },
      expect: ({ io }) => expect(io.state(0)).toBe("signed"),
    };
  },
  tag: {
    expect: ({ io }) =>
      expect(readTags(io.vcon(0))).toEqual(expect.arrayContaining(["team:support", "reviewed"])),
  },
  tag_router: { expect: ({ io }) => expect(io.queuedJobs).toEqual([]) },
  verify: async () => ({
    vcon: toValue((await signedSample()).jws),
    env: { CA_CERTIFICATE: (await certificates()).ca.certificate },
    expect: ({ io }) => expect(io.content(0)).toEqual(sample()),
  }),
};

/** The conversation that the examples run on: a call with a recording and its transcript. */
export function sample(): Vcon {
  const path = new URL("../../../../examples/conversations/support-call.vcon.json", import.meta.url);
  const vcon: JsonObject = JSON.parse(readFileSync(path, "utf8"));
  if (!isVcon(vcon)) throw new Error("the sample is not a vCon");
  return vcon;
}

let made: ReturnType<typeof makeTestCertificates> | undefined;
function certificates() {
  made ??= makeTestCertificates({ name: "calls.example.com" });
  return made;
}

async function signedSample() {
  const { leaf, intermediate } = await certificates();
  const chain = [leaf.certificate, intermediate.certificate];
  return { jws: await sign(fromContent(sample()), { key: leaf.key, chain }) };
}
