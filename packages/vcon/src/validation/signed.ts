import { isArray, objectMember } from "../document/json.ts";
import type { JsonObject } from "../document/types.ts";
import { type Kind, memberTypes, missing, object, string } from "./member-types.ts";
import { BASE64, HTTPS_URL } from "./patterns.ts";
import { must, type Rule, should, shown, type Whole } from "./rule.ts";
import {
  base64urlMembers,
  contradiction,
  entryRules,
  headerStrings,
  headerUuid,
  parameter,
  protectedRule,
} from "./sealed-headers.ts";

const list: Kind = { wanted: "an array of objects", accepts: isArray };

/** The signed form: a JWS. Its payload is not opened: it is nothing to go by before its signature is verified. */
export const signedRules: readonly Rule[] = [
  ...memberTypes({ payload: string, signatures: list, uuid: string }, {}),
  ...entryRules("signatures", "sign the vCon"),
  base64urlMembers("payload"),
];

/** One of the signatures. */
export const signatureRules: readonly Rule[] = [
  ...memberTypes({}, { protected: string, header: object, signature: string }),
  must("signature-member-missing", ({ object }, report) => {
    for (const name of missing(object, ["protected", "signature"])) {
      report([name], `${name} is missing, so nothing can be verified; sign the vCon again`);
    }
  }),
  base64urlMembers("protected", "signature"),
  protectedRule,
  headerStrings("header", ["alg", "x5u", "uuid"]),
  must("header-contradiction", ({ object, whole }, report) => {
    contradiction("header", ["header"], {
      own: whole.protectedHeader(object),
      other: objectMember(object, "header"),
      report,
    });
  }),
  must("signature-algorithm-missing", ({ object, whole }, report) => {
    const algorithm = parameter("alg", headersOf(whole, object));
    if (typeof algorithm === "string" && algorithm !== "" && algorithm !== "none") return;
    report(
      ["header", "alg"],
      `alg is ${shown(algorithm ?? "missing")}; a signature names its algorithm, such as "RS256"`,
    );
  }),
  should("signature-algorithm", ({ object, whole }, report) => {
    const algorithm = parameter("alg", headersOf(whole, object));
    if (typeof algorithm !== "string" || ["", "none", "RS256"].includes(algorithm)) return;
    report(
      ["header", "alg"],
      `alg ${shown(algorithm)} should be "RS256", which everybody can verify`,
      algorithm,
    );
  }),
  must("certificate-missing", ({ object, whole }, report) => {
    const headers = headersOf(whole, object);
    if (parameter("x5c", headers) !== undefined || parameter("x5u", headers) !== undefined) return;
    report(["header", "x5c"], "the certificates are missing; give them in x5c, or an https URL in x5u");
  }),
  should("header-unprotected", ({ object, whole }, report) => {
    const header = [objectMember(object, "header")];
    const own = [whole.protectedHeader(object)];
    for (const name of ["alg", "x5c", "x5u"]) {
      if (parameter(name, own) === undefined || parameter(name, header) !== undefined) continue;
      report(
        ["header", name],
        `${name} is in protected only; the draft looks for it in header too (layout "interop")`,
      );
    }
  }),
  must("certificate-form", ({ object, whole }, report) => {
    const headers = headersOf(whole, object);
    const x5c = parameter("x5c", headers);
    if (x5c !== undefined && !isChain(x5c)) {
      report(
        ["header", "x5c"],
        "x5c must be an array of certificates in standard base64, the signer's own first",
      );
    }
    const x5u = parameter("x5u", headers);
    if (x5u !== undefined && !(typeof x5u === "string" && HTTPS_URL.test(x5u))) {
      report(["header", "x5u"], `x5u ${shown(x5u)} must be a URL of https`, x5u);
    }
  }),
  headerUuid("header"),
];

function headersOf(whole: Whole, object: JsonObject): readonly (JsonObject | undefined)[] {
  return [whole.protectedHeader(object), objectMember(object, "header")];
}

function isChain(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((der) => typeof der === "string" && BASE64.test(der))
  );
}
