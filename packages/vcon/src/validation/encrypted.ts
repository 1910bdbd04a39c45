import { isArray, isObject, objectMember } from "../document/json.ts";
import type { JsonObject } from "../document/types.ts";
import { type Kind, memberTypes, missing, object, string } from "./member-types.ts";
import { must, oneOf, type Rule, should, shown, type Whole } from "./rule.ts";
import {
  base64urlMembers,
  contradiction,
  entryRules,
  headerStrings,
  headerUuid,
  listOf,
  parameter,
  protectedRule,
} from "./sealed-headers.ts";

const CONTENT_TYPES = ["application/vcon", "application/vcon+gzip"];
const ENCRYPTION = "A256CBC-HS512";
const KEY_ENCRYPTION = "RSA-OAEP";

const list: Kind = { wanted: "an array of objects", accepts: isArray };

/** The encrypted form: a JWE. */
export const encryptedRules: readonly Rule[] = [
  ...memberTypes(
    { ciphertext: string, iv: string, tag: string, protected: string, recipients: list, uuid: string },
    { unprotected: object },
  ),
  ...entryRules("recipients", "encrypt the vCon for somebody"),
  must("encrypted-member-missing", ({ object }, report) => {
    for (const name of missing(object, ["iv", "tag"])) {
      report([name], `${name} is missing, so nobody can decrypt the vCon; encrypt it again`);
    }
  }),
  base64urlMembers("ciphertext", "iv", "tag", "protected"),
  protectedRule,
  headerStrings("unprotected", ["enc", "cty", "uuid"]),
  must("header-contradiction", ({ object, whole }, report) => {
    const own = whole.protectedHeader(object);
    contradiction("unprotected", ["unprotected"], {
      own,
      other: objectMember(object, "unprotected"),
      report,
    });
  }),
  must("encryption-missing", ({ object, whole }, report) => {
    if (typeof parameter("enc", [...headersOf(whole), ...recipientHeaders(object)]) === "string") return;
    report(["unprotected", "enc"], `enc is missing; say how the content is encrypted: "${ENCRYPTION}"`);
  }),
  should("encryption", ({ object, whole }, report) => {
    const encryption = parameter("enc", [...headersOf(whole), ...recipientHeaders(object)]);
    if (typeof encryption !== "string" || encryption === ENCRYPTION) return;
    report(
      ["unprotected", "enc"],
      `enc ${shown(encryption)} should be "${ENCRYPTION}", which everybody knows`,
      encryption,
    );
  }),
  should("content-type", ({ whole }, report) => {
    const type = parameter("cty", headersOf(whole));
    if (typeof type === "string" && CONTENT_TYPES.includes(type)) return;
    report(
      ["unprotected", "cty"],
      `cty ${type === undefined ? "is missing; it" : shown(type)} should be ${oneOf(CONTENT_TYPES)}`,
      type,
    );
  }),
  headerUuid("unprotected"),
];

/** One of the recipients; what all of them share is in the document. */
export const recipientRules: readonly Rule[] = [
  ...memberTypes({}, { header: object, encrypted_key: string }),
  base64urlMembers("encrypted_key"),
  headerStrings("header", ["alg"]),
  must("key-encryption-missing", ({ object, whole }, report) => {
    if (typeof keyEncryption(object, whole) === "string") return;
    report(["header", "alg"], `alg is missing; say how the key is encrypted: "${KEY_ENCRYPTION}"`);
  }),
  should("key-encryption", ({ object, whole }, report) => {
    const algorithm = keyEncryption(object, whole);
    if (typeof algorithm !== "string" || algorithm === KEY_ENCRYPTION) return;
    report(
      ["header", "alg"],
      `alg ${shown(algorithm)} should be "${KEY_ENCRYPTION}", which everybody knows`,
      algorithm,
    );
  }),
];

function headersOf(whole: Whole): readonly (JsonObject | undefined)[] {
  return [whole.protectedHeader(whole.document), objectMember(whole.document, "unprotected")];
}

function recipientHeaders(document: JsonObject): readonly (JsonObject | undefined)[] {
  return listOf(document, "recipients").flatMap((entry) =>
    isObject(entry) ? [objectMember(entry, "header")] : [],
  );
}

function keyEncryption(recipient: JsonObject, whole: Whole): unknown {
  return parameter("alg", [objectMember(recipient, "header"), ...headersOf(whole)]);
}
