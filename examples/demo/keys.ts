import { makeTestCertificates } from "../../packages/vcon/src/security.ts";

/** Keys and certificates for this demo alone, as the environment variables that its pipelines name. */
export async function makeKeys(): Promise<Readonly<Record<string, string>>> {
  const { ca, intermediate, leaf } = await makeTestCertificates({ name: "demo.example.com", days: 1 });
  return {
    DEMO_KEY: leaf.key,
    DEMO_CERTIFICATE: leaf.certificate,
    DEMO_INTERMEDIATE: intermediate.certificate,
    DEMO_CA: ca.certificate,
  };
}
