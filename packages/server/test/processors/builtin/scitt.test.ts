import { createHash } from "node:crypto";
import { isVcon, type JsonObject, type Vcon, validate } from "@vconductor/vcon";
import { makeTestCertificates } from "@vconductor/vcon/security";
import { encode } from "cborg";
import { beforeEach, describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/canonical-json.ts";
import { readSign1 } from "../../../src/scitt/cose-sign1.ts";
import { ProviderDouble, type Received, type Reply } from "../../doubles/provider.ts";
import { isSignedBy } from "../../scitt/sign1-signature.ts";
import { signingKey } from "../../scitt/signing-key.ts";
import { runProcessor } from "../run-processor.ts";
import { encrypted, signed, vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";

const uuid = "018e0000-0000-8000-8000-000000000001";
const key = signingKey("P-256");
const issuer = "https://calls.example.com";

/** A receipt in form: a COSE_Sign1 without payload. */
const receipt = Buffer.from([0xd2, ...encode([new Uint8Array(), new Map(), null, new Uint8Array(64)])]);

/** A transparency service that registers at once; other behaviour by `troubles`. */
const service = await ProviderDouble.start(({ method, path }: Received): Reply => {
  if (method === "POST" && path === "/ts/entries") {
    return {
      status: 201,
      headers: { location: "/ts/entries/7", "content-type": "application/cose" },
      body: receipt,
    };
  }
  if (path === "/ts/entries/7") return { headers: { "content-type": "application/cose" }, body: receipt };
  return { status: 404, body: "no such entry" };
});
beforeEach(() => service.reset());

const pending: Reply = { status: 202, headers: { location: "/ts/entries/7", "retry-after": "0" } };

async function run(given: JsonObject, options: object = {}, env: Readonly<Record<string, string>> = {}) {
  const { io } = await runProcessor({
    processor: "scitt",
    vcons: [given],
    options: { private_pem_key: key, issuer, ...options },
    env: { FETCH_ALLOW: service.host, ...env },
  });
  return { document: io.peek(0), parameters: io.parameters, modified: io.entries[0]?.modified };
}

const registering = (more: object = {}) => ({
  service_url: `${service.url}/ts`,
  service_token: "tok-1",
  ...more,
});

function statements(document: JsonObject) {
  if (!isVcon(document)) throw new Error("not a vCon");
  return (document.attachments ?? [])
    .filter(({ purpose }) => purpose === "scitt_statement")
    .map(({ body }) => readSign1(Buffer.from(String(body), "base64url")));
}

const hashOf = (value: JsonObject) =>
  new Uint8Array(createHash("sha256").update(canonicalJson(value)).digest());

describe("the statement", () => {
  it("is signed, says who, what and which event, and holds the hash of the vCon as it was", async () => {
    const given = vcon(uuid);
    const { document } = await run(given, { event: "vcon_received" });
    const [statement, ...more] = statements(document);
    if (statement === undefined) throw new Error("no statement");
    expect(more).toEqual([]);
    expect(isSignedBy(statement, key, "sha256")).toBe(true);
    expect(statement.payload).toEqual(hashOf(given));
    const { protectedHeader: header } = statement;
    expect(header.get(15)).toEqual(
      new Map<number | string, string>([
        [1, issuer],
        [2, `vcon://${uuid}`],
        ["vcon_event", "vcon_received"],
      ]),
    );
    expect(header.get(258)).toBe(-16);
    expect(header.get(259)).toBe("application/vcon+json");
    expect(header.get(4)).toBeInstanceOf(Uint8Array);
    expect(validate(document).filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("holds the certificates of the signer, when there are any", async () => {
    const { leaf, intermediate } = await makeTestCertificates({ name: "calls.example.com", keyType: "EC" });
    const env = { LEAF_KEY: leaf.key, LEAF: leaf.certificate, BETWEEN: intermediate.certificate };
    const chain = ["secret:LEAF", "secret:BETWEEN"];
    const options = { private_pem_key: "secret:LEAF_KEY", certificate_chain_pems: chain };
    const { document } = await run(vcon(uuid), options, env);
    const der = (pem: string) =>
      new Uint8Array(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64"));
    expect(statements(document)[0]?.protectedHeader.get(33)).toEqual([
      der(leaf.certificate),
      der(intermediate.certificate),
    ]);
  });

  it("is the same to make again: nothing is added", async () => {
    const once = await run(vcon(uuid));
    const again = await run(once.document, { set_parameter: "statement" });
    expect(again.document).toEqual(once.document);
    expect(again.modified).toBe(false);
    expect(readSign1(Buffer.from(String(again.parameters.get("statement")), "base64url"))).toEqual(
      statements(once.document)[0],
    );
  });

  it("is added when the event or the vCon is another", async () => {
    const { document } = await run(vcon(uuid));
    const sent = await run(document, { event: "vcon_sent" });
    const changed = await run({ ...sent.document, subject: "Other" }, { event: "vcon_sent" });
    const [created, sentStatement, changedStatement] = statements(changed.document);
    expect(sentStatement?.payload).toEqual(created?.payload);
    expect(changedStatement?.payload).toEqual(hashOf({ ...vcon(uuid), subject: "Other" }));
  });

  it.each([signed(uuid), encrypted(uuid)])("about a sealed vCon is a parameter", async (given) => {
    const { document, parameters } = await run({ ...given }, { set_parameter: "statement" });
    expect(document).toEqual(given);
    const statement = readSign1(Buffer.from(String(parameters.get("statement")), "base64url"));
    expect(statement.payload).toEqual(hashOf({ ...given }));
  });

  it("needs a key that is one", async () => {
    const error = await rejected(
      run(vcon(uuid), { private_pem_key: "secret:SCITT_KEY" }, { SCITT_KEY: "hunter2" }),
    );
    expect(error).toMatchObject({ code: "invalid_key" });
    expect(error.message).not.toContain("hunter2");
  });

  it("needs the certificate of its key", async () => {
    const { leaf } = await makeTestCertificates({ name: "calls.example.com", keyType: "EC" });
    const error = await rejected(run(vcon(uuid), { certificate_chain_pems: [leaf.certificate] }));
    expect(error.message).toBe(
      "certificate_chain_pems: the first certificate is not that of private_pem_key",
    );
  });

  it("needs certificates that are some", async () => {
    const error = await rejected(run(vcon(uuid), { certificate_chain_pems: ["no certificate"] }));
    expect(error).toMatchObject({
      code: "invalid_key",
      message: expect.stringContaining("certificate_chain_pems"),
    });
  });
});

describe("registration", () => {
  const receiptOf = (document: Vcon | JsonObject) => statements(document)[0]?.unprotectedHeader.get(394);

  it("sends the statement, and keeps the receipt in it", async () => {
    const { document } = await run(vcon(uuid), registering());
    expect(service.received).toMatchObject([
      {
        method: "POST",
        path: "/ts/entries",
        headers: { "content-type": "application/cose", authorization: "Bearer tok-1" },
      },
    ]);
    const sent = readSign1(service.received[0]?.body ?? Buffer.alloc(0));
    expect(isSignedBy(sent, key, "sha256")).toBe(true);
    expect(statements(document)[0]?.signature).toEqual(sent.signature);
    expect(receiptOf(document)).toEqual([new Uint8Array(receipt)]);
  });

  it("is not made again for what is registered", async () => {
    const { document } = await run(vcon(uuid), registering());
    await run(document, registering());
    expect(service.received.length).toBe(1);
  });

  it("that takes its time is asked after until the receipt is there", async () => {
    service.troubles(pending, pending);
    const { document } = await run(vcon(uuid), registering());
    expect(service.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /ts/entries",
      "GET /ts/entries/7",
      "GET /ts/entries/7",
    ]);
    expect(receiptOf(document)).toEqual([new Uint8Array(receipt)]);
  });

  it("that takes too long fails the step, which says where it stands", async () => {
    service.troubles(pending, pending, pending);
    const error = await rejected(run(vcon(uuid), registering({ wait_seconds: 0.15 })));
    expect(error.code).toBe("provider_failed");
    expect(error.message).toBe(
      `transparency service has not registered the statement within 0.15 s; it may still do so: ${service.url}/ts/entries/7`,
    );
  });

  it("shows the token to nobody else", async () => {
    const other = await ProviderDouble.start(() => ({ body: receipt }));
    service.troubles({ status: 303, headers: { location: `${other.url}/7`, "retry-after": "0" } });
    await run(vcon(uuid), registering(), { FETCH_ALLOW: `${service.host},${other.host}` });
    expect(other.received.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it.each([
    ["429 that says when", { status: 429, headers: { "retry-after": "0" }, body: "slow down" }],
    ["503 that says when", { status: 503, headers: { "retry-after": "0" } }],
    ["500", { status: 500, body: "oops" }],
    ["a body cut short", "truncated" as const],
  ])("is tried again after %s", async (_, trouble) => {
    service.troubles(trouble);
    const { document } = await run(vcon(uuid), registering());
    expect(receiptOf(document)).toEqual([new Uint8Array(receipt)]);
    expect(service.received.map(({ method }) => method)).toEqual(["POST", "POST"]);
  });

  it("is tried again when no answer comes", async () => {
    service.troubles("hang");
    await run(vcon(uuid), registering(), { PROVIDER_TIMEOUT_SECONDS: "0.3" });
    expect(service.received.length).toBe(2);
  });

  it("that is refused says why, in the service's words", async () => {
    const problem = Buffer.from(
      encode(
        new Map([
          [-1, "Bad Signature Algorithm"],
          [-2, "ES256 is not taken here, nor tok-1"],
        ]),
      ),
    );
    service.troubles({
      status: 400,
      headers: { "content-type": "application/concise-problem-details+cbor" },
      body: problem,
    });
    const error = await rejected(
      run(vcon(uuid), registering({ service_token: "secret:TOKEN" }), { TOKEN: "tok-1" }),
    );
    expect(error.message).toBe(
      "transparency service answered 400: Bad Signature Algorithm: ES256 is not taken here, nor ********",
    );
    expect(service.received.length).toBe(1);
  });

  it.each([
    [401, "who are you?", "who are you?"],
    [403, "", "(nothing more)"],
  ])("that is refused with %i and text says it", async (status, body, shown) => {
    service.troubles({ status, body });
    const error = await rejected(run(vcon(uuid), registering()));
    expect(error.message).toBe(`transparency service answered ${status}: ${shown}`);
  });

  it.each([
    ["text", "fine"],
    ["nothing", ""],
  ])("answered with %s is no registration", async (_, body) => {
    service.troubles({ status: 201, body });
    const error = await rejected(run(vcon(uuid), registering()));
    expect(error.message).toMatch(/^transparency service gave what is no receipt: /);
  });

  it("answered without end is cut off", async () => {
    service.troubles("huge", "huge", "huge");
    const error = await rejected(run(vcon(uuid), registering()));
    expect(error.message).toBe("fetch refused: the answer is larger than 1048576 bytes");
  });

  it("needs an address that is one, and that may be reached", async () => {
    expect(await rejected(run(vcon(uuid), { service_url: "ts.example" }))).toMatchObject({
      code: "invalid_options",
    });
    expect(await rejected(run(vcon(uuid), { service_url: "http://169.254.169.254" }))).toMatchObject({
      code: "fetch_refused",
    });
  });
});
