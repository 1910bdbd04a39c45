import { makeTestCertificates, type TestCertificates } from "../../src/security.ts";

/* Keys take long to make, so each file of tests makes a set once. */

export async function rsa(): Promise<TestCertificates> {
  return makeTestCertificates({ name: "calls.example.com" });
}

export async function ec(): Promise<TestCertificates> {
  return makeTestCertificates({ name: "calls.example.com", keyType: "EC" });
}

export function chainOf({ leaf, intermediate }: TestCertificates): readonly string[] {
  return [leaf.certificate, intermediate.certificate];
}
