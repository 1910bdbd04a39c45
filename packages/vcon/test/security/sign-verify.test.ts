import fc from "fast-check";
import { flattenedVerify, generalVerify, importX509 } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import {
  contentText,
  fromContent,
  isSignedVcon,
  type JsonObject,
  parse,
  type SignedVcon,
  toText,
  type UnverifiedDocument,
  type Vcon,
} from "../../src/index.ts";
import { issue, makeKeys } from "../../src/security/test-certificates.ts";
import { sign, type TestCertificates, verify } from "../../src/security.ts";
import { chainOf, ec, rsa } from "./certificates.ts";
import { change, changed, strings } from "./tampering.ts";

const vcon: Vcon = {
  vcon: "0.4.0",
  uuid: "0190a5d2-0000-8000-8000-000000000001",
  created_at: "2026-03-04T05:06:07Z",
  parties: [{ name: "Ann", tel: "+15550100" }],
  dialog: [
    {
      type: "text",
      start: "2026-03-04T05:06:07Z",
      parties: 0,
      mediatype: "text/plain",
      body: "Hello",
      encoding: "none",
    },
  ],
};

let certificates: TestCertificates;
let elliptic: TestCertificates;
let stranger: TestCertificates;

beforeAll(async () => {
  [certificates, elliptic, stranger] = [await rsa(), await ec(), await ec()];
});

async function unverified(jws: JsonObject): Promise<UnverifiedDocument> {
  const document = await parse(jws);
  if (document.state !== "unverified") throw new Error(document.state);
  return document;
}

async function signed(options: { layout?: "interop" | "strict"; compress?: boolean } = {}) {
  return sign(fromContent(vcon), { key: certificates.leaf.key, chain: chainOf(certificates), ...options });
}

describe.each(["RSA", "EC"])("with an %s key", (kind) => {
  const set = () => (kind === "RSA" ? certificates : elliptic);

  test.each(["interop", "strict"] as const)(
    "what is signed (%s) verifies, and jose agrees",
    async (layout) => {
      const { key } = set().leaf;
      const document = await sign(fromContent(vcon), { key, chain: chainOf(set()), layout });
      const read = await unverified(JSON.parse(toText(document)));
      expect(read.uuid).toBe(vcon.uuid);
      const verified = await verify(read, { trust: set().ca.certificate });
      expect(verified.vcon).toEqual(vcon);
      expect(contentText(verified)).toBe(JSON.stringify(vcon));
      const alg = kind === "RSA" ? "RS256" : "ES256";
      expect(verified.signers).toMatchObject([
        { algorithm: alg, subject: "CN=calls.example.com", issuer: "CN=vCon test CA 2" },
      ]);

      const publicKey = await importX509(set().leaf.certificate, alg);
      const [signature] = document.jws.signatures;
      const { protected: encoded, signature: value } = signature ?? {};
      const plain = { payload: document.jws.payload, protected: String(encoded), signature: String(value) };
      const { payload } = await flattenedVerify(plain, publicKey);
      expect(new TextDecoder().decode(payload)).toBe(JSON.stringify(vcon));
      if (layout === "strict") {
        const general = JSON.parse(toText(document));
        expect((await generalVerify(general, publicKey)).protectedHeader?.alg).toBe(alg);
      }
    },
  );
});

test("the payload keeps the spelling of what was read", async () => {
  const text = '{ "uuid": "u", "vcon": "0.4.0", "parties": [], "n": 1.0, "big": 12345678901234567890 }';
  const document = await parse(text);
  if (document.state !== "unsigned") throw new Error(document.state);
  const signing = { key: elliptic.leaf.key, chain: chainOf(elliptic) };
  const verified = await verify(await sign(document, signing), { trust: elliptic.ca.certificate });
  expect(contentText(verified)).toBe(text);
});

test("a compressed payload verifies, and so does a document that was gzipped as a whole", async () => {
  const document = await signed({ compress: true });
  const zipped = new Response(
    new Blob([toText(document)]).stream().pipeThrough(new CompressionStream("gzip")),
  );
  const read = await parse(new Uint8Array(await zipped.arrayBuffer()));
  if (read.state !== "unverified") throw new Error(read.state);
  expect((await verify(read, { trust: certificates.ca.certificate })).vcon).toEqual(vcon);
});

test("an archive signs anew, verified or not; all layers are verified", async () => {
  const first = await signed();
  const archive = { key: elliptic.leaf.key, chain: chainOf(elliptic) };
  const trust = [certificates.ca.certificate, elliptic.ca.certificate];
  const verified = await verify(first, { trust });
  for (const document of [verified, await unverified(first.jws)]) {
    const again = await sign(document as typeof verified, archive);
    const result = await verify(again, { trust });
    expect(result.vcon).toEqual(vcon);
    expect(result.signers.map(({ algorithm }) => algorithm)).toEqual(["ES256", "RS256"]);
    await expect(verify(again, { trust: elliptic.ca.certificate })).rejects.toMatchObject({
      code: "untrusted_certificate",
    });
  }
});

test("a signer's own key or certificate can be trusted instead of an authority", async () => {
  const document = await signed();
  for (const publicKey of [certificates.leaf.certificate]) {
    const { signers, vcon: content } = await verify(document, { publicKey });
    expect(content).toEqual(vcon);
    expect(signers).toMatchObject([{ algorithm: "RS256", subject: undefined }]);
  }
  await expect(verify(document, { publicKey: certificates.ca.certificate })).rejects.toMatchObject({
    code: "invalid_signature",
  });
  await expect(verify(document, { publicKey: elliptic.leaf.certificate })).rejects.toMatchObject({
    code: "invalid_signature",
  });
});

describe("a chain that fails says where and why", () => {
  test("another authority", async () => {
    const attempt = verify(await signed(), { trust: stranger.ca.certificate });
    await expect(attempt).rejects.toMatchObject({
      code: "untrusted_certificate",
      message:
        "The chain of certificates does not end at a trusted certificate. Its last certificate was issued by: CN=vCon test CA.",
    });
  });

  test("an authority of the same name with another key", async () => {
    const other = await rsa();
    await expect(verify(await signed(), { trust: other.ca.certificate })).rejects.toMatchObject({
      code: "untrusted_certificate",
    });
  });

  test("a gap, and a stranger in the middle", async () => {
    const { leaf, ca } = certificates;
    const gap = await sign(fromContent(vcon), { key: leaf.key, chain: leaf.certificate });
    await expect(verify(gap, { trust: ca.certificate })).rejects.toThrow(
      /does not end at a trusted certificate/,
    );
    const wrong = await sign(fromContent(vcon), {
      key: leaf.key,
      chain: [leaf.certificate, stranger.intermediate.certificate],
    });
    await expect(verify(wrong, { trust: ca.certificate })).rejects.toThrow(
      "Certificate 1 of the chain (CN=calls.example.com) does not bear the signature of certificate 2 (CN=vCon test CA 2).",
    );
    const order = await sign(fromContent(vcon), { key: leaf.key, chain: [leaf.certificate, ca.certificate] });
    await expect(verify(order, { trust: stranger.ca.certificate })).rejects.toThrow(
      /was not issued by certificate 2/,
    );
  });

  test("dates, before and after", async () => {
    const document = await signed();
    const trust = certificates.ca.certificate;
    await expect(verify(document, { trust, at: Date.UTC(2010, 0) })).rejects.toMatchObject({
      code: "expired_certificate",
      message: expect.stringMatching(/^Certificate 1 of 3 \(CN=calls\.example\.com\) is not valid before 2/),
    });
    await expect(verify(document, { trust, at: Date.UTC(2090, 0) })).rejects.toThrow(/expired at 20/);
    await expect(verify(document, { trust })).resolves.toMatchObject({ state: "verified" });
  });

  test("the signer's certificate or an authority in the middle may itself be trusted", async () => {
    for (const { certificate } of [certificates.leaf, certificates.intermediate]) {
      await expect(verify(await signed(), { trust: certificate })).resolves.toMatchObject({
        state: "verified",
      });
    }
  });

  describe("strict mode asks what RFC 5280 asks", () => {
    const dates = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 3_600_000) };
    const signs = 0x06;

    /** Signs with the last of a line of certificates, each issued by the one before; the first is trusted. */
    async function attempt(
      line: readonly {
        readonly subject: string;
        readonly ca?: boolean;
        readonly pathLength?: number;
        readonly usage?: number;
      }[],
      chain: "strict" | "lax",
    ) {
      let issuer: { subject: string; keys: Awaited<ReturnType<typeof makeKeys>> } | undefined;
      const made: { certificate: string; key: string }[] = [];
      for (const { subject, ca = true, usage = ca ? signs : 0x80, ...rest } of line) {
        const holder = { subject, keys: await makeKeys("EC") };
        made.unshift(await issue(holder, { issuer: issuer ?? holder, ...dates, ca, usage, ...rest }));
        issuer = holder;
      }
      const [leaf, ...others] = made;
      const document = await sign(fromContent(vcon), {
        key: leaf?.key ?? "",
        chain: made.slice(0, -1).map(({ certificate }) => certificate),
      });
      return verify(document, { trust: others.at(-1)?.certificate ?? "", chain });
    }

    const leaf = { subject: "leaf", ca: false };
    test.each([
      [
        "an issuer that is no authority",
        [{ subject: "root" }, { subject: "no-ca", ca: false }, leaf],
        "Certificate 2 of 3 (CN=no-ca) is not a certificate authority",
      ],
      [
        "a path that is too long",
        [{ subject: "root", pathLength: 0 }, { subject: "middle" }, leaf],
        "Certificate 3 of 3 (CN=root) allows only 0 authorities below it, not 1.",
      ],
      [
        "an authority that may not sign certificates",
        [{ subject: "root", usage: 0x80 }, leaf],
        "Certificate 2 of 2 (CN=root) is not meant for signing certificates",
      ],
      [
        "a signer that may not sign",
        [{ subject: "root" }, { ...leaf, usage: 0x20 }],
        "Certificate 1 of 2 (CN=leaf) is not meant for signing (key usage)",
      ],
    ])("%s", async (_name, line, message) => {
      await expect(attempt(line, "strict")).rejects.toMatchObject({
        code: "untrusted_certificate",
        message: expect.stringContaining(message),
      });
      await expect(attempt(line, "lax")).resolves.toMatchObject({ state: "verified" });
    });

    test("a good line passes", async () => {
      await expect(
        attempt([{ subject: "root" }, { subject: "middle", pathLength: 0 }, leaf], "strict"),
      ).resolves.toMatchObject({ state: "verified" });
    });
  });
});

describe("bad input", () => {
  test("signing", async () => {
    const { leaf, ca } = certificates;
    const document = fromContent(vcon);
    const cases = [
      [
        { key: "/etc/key.pem", chain: leaf.certificate },
        "The private key cannot be read. It must be PEM text",
      ],
      [{ key: leaf.certificate, chain: leaf.certificate }, "The private key is not there"],
      [{ key: leaf.key, chain: leaf.key }, "The chain of certificates has no certificate in it"],
      [{ key: leaf.key, chain: ca.certificate }, "The private key does not belong to the first certificate"],
      [{ key: leaf.key.replace(/M/, "N"), chain: leaf.certificate }, "key"],
      [
        {
          key: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
          chain: "",
        },
        "protected by a password",
      ],
    ] as const;
    for (const [options, message] of cases) {
      await expect(sign(document, options)).rejects.toMatchObject({
        code: "invalid_key",
        message: expect.stringContaining(message),
      });
    }
  });

  test("verifying", async () => {
    const { jws } = await signed();
    const trust = certificates.ca.certificate;
    const [signature = {}] = jws.signatures;
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ ...jws, signatures: [] }, "has no signature"],
      [{ ...jws, signatures: [{ ...signature, protected: "e30" }] }, "does not match"],
      [{ ...jws, signatures: [{ ...signature, protected: "!" }] }, "damaged"],
      [
        {
          ...jws,
          signatures: [{ ...signature, protected: btoa('{"alg":"none"}').replaceAll("=", ""), header: {} }],
        },
        '"none" is not supported',
      ],
      [
        {
          ...jws,
          signatures: [{ ...signature, protected: btoa('{"alg":"HS256"}').replaceAll("=", ""), header: {} }],
        },
        '"HS256" is not supported',
      ],
      [
        { ...jws, signatures: [{ ...signature, header: { alg: "ES256" } }] },
        'contradict each other on "alg"',
      ],
      [
        { ...jws, signatures: [{ signature: "AA", header: { alg: "RS256", x5u: "https://example.com/c" } }] },
        "x5u",
      ],
    ];
    for (const [document, message] of cases) {
      await expect(verify(await unverified(document), { trust })).rejects.toThrow(message);
    }
    await expect(verify(await unverified(jws), {})).rejects.toMatchObject({ code: "invalid_option" });
  });
});

test.each(["interop", "strict"] as const)(
  "a change of any character of payload, headers, chain or signature is detected (%s)",
  async (layout) => {
    const { jws } = await signed({ layout });
    const trust = certificates.ca.certificate;
    const places = strings(jws);
    expect(places).toHaveLength(layout === "interop" ? 7 : 4);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), change, async (path, edit) => {
        const tampered = changed(jws, path, edit);
        fc.pre(JSON.stringify(tampered) !== JSON.stringify(jws));
        const outcome = parse(tampered).then(async (document) =>
          document.state === "unverified" ? verify(document, { trust }) : document,
        );
        await expect(outcome).rejects.toMatchObject({ name: "VconError" });
      }),
      { numRuns: 150 },
    );
  },
);

test("parts of two signed vCons do not mix", async () => {
  const one = (await signed()).jws;
  const other = (
    await sign(fromContent({ ...vcon, uuid: "other" }), {
      key: certificates.leaf.key,
      chain: chainOf(certificates),
    })
  ).jws;
  const mixed: SignedVcon = { ...one, payload: other.payload };
  expect(isSignedVcon(mixed)).toBe(true);
  await expect(verify(await unverified(mixed), { trust: certificates.ca.certificate })).rejects.toMatchObject(
    { code: "invalid_signature" },
  );
});
