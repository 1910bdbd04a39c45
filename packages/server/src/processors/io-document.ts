import {
  detectForm,
  type EncryptedVcon,
  isEncryptedVcon,
  isSignedVcon,
  isVcon,
  type JsonObject,
  migrate,
  type SignedVcon,
  uuidOf,
  type Vcon,
} from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";

/** A vCon of any form with its uuid; an unsigned one is in the newest version of the format. */
export type IoDocument = { readonly uuid: string } & (
  | { readonly form: "unsigned"; readonly value: Vcon }
  | { readonly form: "signed"; readonly value: SignedVcon }
  | { readonly form: "encrypted"; readonly value: EncryptedVcon }
);

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
