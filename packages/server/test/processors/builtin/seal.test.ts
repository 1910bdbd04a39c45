import { isSignedVcon, type JsonObject, newUuid } from "@vconductor/vcon";
import { makeTestCertificates } from "@vconductor/vcon/security";
import { Value } from "typebox/value";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PipelineOptions } from "../../../src/pipelines/definition.ts";
import { runSteps } from "../../../src/pipelines/run-steps.ts";
import { builtin } from "../../../src/processors/builtin/index.ts";
import { ProcessorIO } from "../../../src/processors/io.ts";
import { ProcessorRegistry } from "../../../src/processors/registry.ts";
import type { ProcessServices } from "../../../src/processors/services.ts";
import { PaidCalls } from "../../../src/usage/paid-calls.ts";
import { noLedger } from "../../usage/no-ledger.ts";
import { vcon } from "../sample.ts";
import { testServices } from "../test-services.ts";
import { rejected } from "../thrown.ts";

let services: ProcessServices;
let uuid: string;

beforeAll(async () => {
  const { leaf, intermediate, ca } = await makeTestCertificates({ name: "calls.example.com" });
  uuid = await newUuid({ domain: "example.com" });
  services = testServices({
    KEY: leaf.key,
    LEAF: leaf.certificate,
    MIDDLE: intermediate.certificate,
    CA: ca.certificate,
  });
});
afterAll(() => services.stop());

const sign = [
  "sign",
  { private_pem_key: "secret:KEY", cert_chain_pems: ["secret:LEAF", "secret:MIDDLE", "secret:CA"] },
] as const;
const verify = ["verify", { allowed_ca_cert_pems: ["secret:CA"] }] as const;
const encrypt = ["encrypt", { public_pem_key: "secret:LEAF" }] as const;
const decrypt = ["decrypt", { private_pem_key: "secret:KEY" }] as const;
const count = [
  "jq",
  { jq_queries: { n: ".vcons[0] | [(.parties | length), (.signatures | length)]" } },
] as const;

type Steps = readonly (readonly [name: string, options: Readonly<Record<string, unknown>>])[];

async function run(steps: Steps, given: JsonObject = { ...vcon("x"), uuid }): Promise<ProcessorIO> {
  const io = new ProcessorIO();
  io.add(given, { lent: true });
  const done = await runSteps({
    definition: {
      pipeline_options: Value.Create(PipelineOptions),
      processors: steps.map(([processor_name, processor_options]) => ({ processor_name, processor_options })),
    },
    io,
    registry: new ProcessorRegistry(builtin),
    services,
    signal: new AbortController().signal,
    paid: new PaidCalls({ ledger: noLedger, prices: {} }),
    service: () => Promise.reject(new Error("there are no remote workers")),
    definitionOf: () => Promise.reject(new Error("there are no other pipelines")),
  });
  return done.io;
}

async function sealed(...steps: Steps): Promise<JsonObject> {
  return (await run(steps)).document(0);
}

describe("sealed vCons in a pipeline", () => {
  it("can be read once they were signed or verified there, and stay signed", async () => {
    const signed = await run([sign, count]);
    expect(signed.parameters.get("n")).toEqual([2, 0]);
    expect([signed.state(0), isSignedVcon(signed.document(0))]).toEqual(["signed", true]);
    const unverified = await run([count], signed.document(0));
    expect([unverified.state(0), unverified.parameters.get("n")]).toEqual(["unverified", [0, 1]]);
    const verified = await run([verify, count], signed.document(0));
    expect([verified.state(0), verified.parameters.get("n")]).toEqual(["verified", [2, 0]]);
    expect(verified.document(0)).toEqual(signed.document(0));
    expect(verified.toOutput().vcons_modified).toEqual([false]);
  });

  it("can be amended after they were verified: a new vCon, and the signature stays", async () => {
    const signed = await sealed(sign);
    const io = await run(
      [verify, ["create_amended", {}], ["tag", { tags: ["seen"], input_vcon_index: 1 }]],
      signed,
    );
    expect(io.toOutput().vcons_modified).toEqual([false, true]);
    expect(io.document(0)).toEqual(signed);
    expect(io.vcon(1)).toMatchObject({ amended: { uuid }, parties: [{ name: "Ada Brandt" }, {}] });
    expect(io.uuid(1)).not.toBe(uuid);
  });

  it("are encrypted and decrypted", async () => {
    const io = await run([sign, encrypt, decrypt, verify, count]);
    expect([io.state(0), io.parameters.get("n")]).toEqual(["verified", [2, 0]]);
  });

  it("are still known as verified after a checkpoint", async () => {
    const io = await run([sign]);
    const restored = ProcessorIO.restore(JSON.parse(JSON.stringify(io.snapshot())));
    expect([restored.state(0), restored.content(0)]).toEqual(["signed", io.content(0)]);
  });

  it("are not changed: the signature would no longer fit", async () => {
    const error = await rejected(
      run([sign, ["tag", { tags: ["late"] }]]).catch((failed) => Promise.reject(failed.cause)),
    );
    expect(error.message).toBe(
      "Cannot modify Vcon unless current state is UNSIGNED.  Current state: VconStates.SIGNED",
    );
  });

  it.each([
    [[sign, sign], "Cannot modify Vcon unless current state is UNSIGNED.  Current state: VconStates.SIGNED"],
    [[sign, verify], "Vcon was locally signed. No need to verify.  Current state: VconStates.SIGNED"],
    [[verify], "Vcon is not signed.  Current state: VconStates.UNSIGNED"],
    [[encrypt], "Vcon must be signed before it can be encrypted.  Current state: VconStates.UNSIGNED"],
    [[decrypt], "Vcon is not encrypted.  Current state: VconStates.UNSIGNED"],
    [
      [sign, encrypt, ["create_amended", {}]],
      "Vcon must be decrypted before it can be read.  Current state: VconStates.ENCRYPTED",
    ],
  ] satisfies [Steps, string][])(
    "in the wrong state are refused in the reference's words",
    async (steps, message) => {
      const error = await rejected(run(steps).catch((failed) => Promise.reject(failed.cause)));
      expect([error.code, error.message]).toEqual(["invalid_vcon_state", message]);
    },
  );

  it.each([
    [["sign", {}], "invalid_options", "private_pem_key"],
    [["sign", { private_pem_key: "secret:KEY" }], "invalid_options", "cert_chain_pems"],
    [
      ["sign", { private_pem_key: "secret:NONE" }],
      "invalid_options",
      "needs the secret NONE, which is not set",
    ],
    [["sign", { private_pem_key: "/etc/passwd", cert_chain_pems: ["secret:LEAF"] }], "invalid_key", "PEM"],
  ] satisfies [Steps[number], string, string][])("%j: %s", async (step, code, text) => {
    const error = await rejected(run([step]).catch((failed) => Promise.reject(failed.cause)));
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
  });

  it("signed by somebody else do not verify", async () => {
    const stranger = await makeTestCertificates({ name: "other.example.com" });
    const trusting = [["verify", { allowed_ca_cert_pems: [stranger.ca.certificate] }]] as const;
    const signed = await sealed(sign);
    const error = await rejected(run(trusting, signed).catch((failed) => Promise.reject(failed.cause)));
    expect([error.code, error.exceptionClass]).toEqual(["invalid_signature", "InvalidSignature"]);
  });
});
