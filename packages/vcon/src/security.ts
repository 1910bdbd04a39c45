/** Signing, verifying, encrypting and decrypting vCons. Runs in Node and in browsers. */
export type { ChainMode } from "./security/chain.ts";
export { type DecryptOptions, decrypt } from "./security/decrypt.ts";
export { type EncryptOptions, encrypt } from "./security/encrypt.ts";
export { type SignOptions, sign } from "./security/sign.ts";
export {
  makeTestCertificates,
  type TestCertificates,
  type TestCertificatesOptions,
} from "./security/test-certificates.ts";
export { type VerifyOptions, verify } from "./security/verify.ts";
