import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

/** The files that a server proves itself with. */
export interface TlsFiles {
  /** Of the certificate, and those that certify it after it. PEM */
  readonly certificate: string;
  /** Of its private key. PEM */
  readonly key: string;
}

export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** @throws Error a file cannot be read, is not what it should be, or the two do not fit */
export function readTlsPair(files: TlsFiles): TlsPair {
  const pair = { cert: readFileSync(files.certificate, "utf8"), key: readFileSync(files.key, "utf8") };
  const certificate = parsed(
    `${files.certificate} holds no PEM certificate`,
    () => new X509Certificate(pair.cert),
  );
  const key = parsed(`${files.key} holds no PEM private key without a password`, () =>
    createPrivateKey(pair.key),
  );
  if (!certificate.checkPrivateKey(key)) {
    throw new Error(`the key in ${files.key} is not that of the certificate in ${files.certificate}`);
  }
  return pair;
}

function parsed<Value>(otherwise: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    throw new Error(otherwise, { cause });
  }
}
