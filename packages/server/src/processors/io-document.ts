import {
  detectForm,
  type EncryptedVcon,
  fromContent,
  isEncryptedVcon,
  isSignedVcon,
  isVcon,
  type JsonObject,
  migrate,
  type SignedVcon,
  toValue,
  uuidOf,
  type Vcon,
  type VconDocument,
  type VconState,
} from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";

/** A vCon of any form with its uuid; an unsigned one is in the newest version of the format. */
export type IoDocument = { readonly uuid: string } & (
  | { readonly form: "unsigned"; readonly value: Vcon }
  | { readonly form: "signed"; readonly value: SignedVcon; readonly known?: KnownContent | undefined }
  | { readonly form: "encrypted"; readonly value: EncryptedVcon }
);

/** What a signed vCon holds, known to be what was signed: it was signed, or its signature verified, in this run. */
export interface KnownContent {
  readonly state: "signed" | "verified";
  readonly content: Vcon;
}

/** The state as the library has it: only `unsigned`, `signed` and `verified` ones can be read. */
export function stateOf(document: IoDocument): VconState {
  if (document.form === "unsigned") return "unsigned";
  if (document.form === "encrypted") return "encrypted";
  return document.known?.state ?? "unverified";
}

/** What the library's filters give, as it is kept here. @throws invalid_vcon */
export function fromLibrary(document: VconDocument): IoDocument {
  const kept = toDocument(toValue(document));
  if (kept.form !== "signed" || (document.state !== "signed" && document.state !== "verified")) return kept;
  return { ...kept, known: { state: document.state, content: document.vcon } };
}

/** A document for the library's filters. */
export function toLibrary(document: IoDocument): VconDocument {
  if (document.form === "unsigned") return fromContent(document.value);
  const { uuid, value } = document;
  const text = JSON.stringify(value);
  if (document.form === "encrypted") return { state: "encrypted", uuid, jwe: document.value, text };
  const { known } = document;
  if (known === undefined) return { state: "unverified", uuid, jws: document.value, text };
  const { content, state } = known;
  const readable = { uuid, vcon: content, source: fromContent(content).source, jws: document.value };
  return state === "signed" ? { ...readable, state } : { ...readable, state, signers: [] };
}

/** @throws invalid_vcon */
export function toDocument(given: JsonObject): IoDocument {
  const form = detectForm(given);
  const uuid = form === undefined ? undefined : uuidOf(given, form);
  if (form === undefined) throw new VconductorError("invalid_vcon", "not a vCon");
  if (uuid === undefined) throw new VconductorError("invalid_vcon", "vCon UUID: not set");
  if (form === "signed" && isSignedVcon(given)) return { uuid, form, value: given };
  if (form === "encrypted" && isEncryptedVcon(given)) return { uuid, form, value: given };
  const value = migrate(given);
  if (form === "unsigned" && isVcon(value)) return { uuid, form, value };
  throw new VconductorError("invalid_vcon", `vCon UUID: ${uuid} is not a valid ${form} vCon`);
}
