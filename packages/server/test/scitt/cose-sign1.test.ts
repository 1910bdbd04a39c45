import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { makeSign1, readSign1, readSigningKey } from "../../src/scitt/cose-sign1.ts";
import { thrown } from "../processors/thrown.ts";
import { isSignedBy } from "./sign1-signature.ts";
import { signingKey } from "./signing-key.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ""), "hex");
const content = Buffer.from("This is the content.");

/** Appendix C.2.1 of RFC 9052: ECDSA with P-256, by the key "11" of the COSE working group's examples. */
const ecdsa = hex(`
  d28443a10126a10442313154546869732069732074686520636f6e74656e742e58408eb33e4ca31d1c465ab05aac34cc6b23
  d58fef5c083106c4d25a91aef0b0117e2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36`);
const ecdsaKey = createPublicKey({
  format: "jwk",
  key: {
    kty: "EC",
    crv: "P-256",
    x: "usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8",
    y: "IBOL-C3BttVivg-lSreASjpkttcsz-1rb7btKLv8EX4",
  },
});

/** eddsa-sig-01 of the COSE working group's examples, and the key of RFC 8032, section 7.1, test 1. */
const eddsa = hex(`
  d28445a201270300a10442313154546869732069732074686520636f6e74656e742e58407142fd2ff96d56db85bee905a76b
  a1d0b7321a95c8c4d3607c5781932b7afb8711497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d`);
const eddsaKey = createPrivateKey({
  format: "jwk",
  key: {
    kty: "OKP",
    crv: "Ed25519",
    d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  },
});

describe("the published examples", () => {
  it("are read", () => {
    const message = readSign1(ecdsa);
    expect(message.protectedHeader).toEqual(new Map([[1, -7]]));
    expect(message.unprotectedHeader).toEqual(new Map([[4, new Uint8Array(Buffer.from("11"))]]));
    expect(message.payload).toEqual(new Uint8Array(content));
    expect(isSignedBy(message, ecdsaKey, "sha256")).toBe(true);
  });

  it("are made, where the algorithm gives one signature only", () => {
    const pem = eddsaKey.export({ type: "pkcs8", format: "pem" }).toString();
    const made = readSign1(
      makeSign1({ signingKey: readSigningKey(pem), header: new Map([[3, 0]]), payload: content }),
    );
    const given = readSign1(eddsa);
    expect(made.protectedBytes).toEqual(given.protectedBytes);
    expect(made.signature).toEqual(given.signature);
  });
});

describe("signing", () => {
  it.each([
    ["P-256", -7, "sha256"],
    ["P-384", -35, "sha384"],
    ["ed25519", -8, null],
    ["rsa", -37, "sha256"],
  ] as const)("with %s, the signature fits and no other content does", (kind, algorithm, hash) => {
    const pem = signingKey(kind);
    const message = readSign1(
      makeSign1({ signingKey: readSigningKey(pem), header: new Map([[4, "x"]]), payload: content }),
    );
    expect(message.protectedHeader).toEqual(
      new Map<number, unknown>([
        [1, algorithm],
        [4, "x"],
      ]),
    );
    expect(isSignedBy(message, pem, hash)).toBe(true);
    expect(isSignedBy({ ...message, payload: Buffer.from("Other content.") }, pem, hash)).toBe(false);
    expect(isSignedBy(message, signingKey(kind), hash)).toBe(false);
  });

  it("with a curve that transparency services do not take is refused", () => {
    const error = thrown(() => readSigningKey(signingKey("P-521")));
    expect(error).toMatchObject({
      code: "invalid_key",
      message: expect.stringContaining("P-256, P-384, Ed25519 or RSA"),
    });
  });

  it("with what is no key is refused, and the text is not repeated", () => {
    const error = thrown(() => readSigningKey("hunter2"));
    expect(error).toMatchObject({ code: "invalid_key" });
    expect(error.message).not.toContain("hunter2");
  });
});

it.each([
  ["nothing", ""],
  ["text", "63616263"],
  ["an array of three", "d28340a040"],
  ["a payload that is none", "d28440a00140"],
  ["a protected header that is no map", "d28441 80 a0 40 40"],
  ["half of one", "d28443a101"],
])("refuses %s", (_, bytes) => {
  expect(() => readSign1(hex(bytes))).toThrow();
});
