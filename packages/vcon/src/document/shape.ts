import type { Finding } from "./errors.ts";
import { detectForm } from "./form.ts";
import { has, isArray, isObject, member } from "./json.ts";
import type { EncryptedVcon, JsonObject, JsonValue, SignedVcon, Vcon, VconForm } from "./types.ts";

const MAX_FINDINGS = 50;
const MAX_UUID = 255;
const MAX_INPUT = 100;

const partyStrings = [
  "tel",
  "sip",
  "mailto",
  "name",
  "did",
  "uuid",
  "stir",
  "validation",
  "gmlpos",
  "role",
  "contact_list",
] as const;

/** Is it an unsigned vCon, with the shape that the types promise? */
export function isVcon(document: JsonObject): document is Vcon {
  return detectForm(document) === "unsigned" && fits(document, "unsigned") && has(document, "uuid");
}

export function isSignedVcon(document: JsonObject): document is SignedVcon {
  return detectForm(document) === "signed" && fits(document, "signed");
}

export function isEncryptedVcon(document: JsonObject): document is EncryptedVcon {
  return detectForm(document) === "encrypted" && fits(document, "encrypted");
}

function fits(document: JsonObject, form: VconForm): boolean {
  return shapeFindings(document, form).length === 0;
}

/**
 * What is wrong with the shape of a document, at most 50 findings. Only what would break readers is wrong; real files
 * stray in many other ways (dates, empty objects, missing encodings) and are read all the same.
 */
export function shapeFindings(document: JsonObject, form: VconForm): readonly Finding[] {
  const check = new ShapeCheck();
  check.uuid(document);
  if (form === "unsigned") unsignedShape(document, check);
  else if (form === "signed") {
    check.string(document, "payload");
    check.objects(document, "signatures");
  } else {
    for (const name of ["ciphertext", "iv", "tag", "protected"]) check.string(document, name);
    check.objects(document, "recipients");
  }
  return check.findings;
}

function unsignedShape(document: JsonObject, check: ShapeCheck): void {
  check.string(document, "vcon");
  check.createdAt(document);
  for (const [index, party] of check.objects(document, "parties")) {
    for (const name of partyStrings) check.string(party, name, ["parties", index]);
  }
  for (const [index, dialog] of check.objects(document, "dialog")) {
    check.string(dialog, "type", ["dialog", index]);
    check.partyReference(dialog, ["dialog", index, "parties"]);
  }
  check.objects(document, "analysis");
  check.objects(document, "attachments");
}

type Path = readonly (string | number)[];

class ShapeCheck {
  readonly #findings: Finding[] = [];

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  #add(path: Path, message: string, input: JsonValue): void {
    if (this.#findings.length >= MAX_FINDINGS) return;
    const scalar = typeof input === "string" ? input.slice(0, MAX_INPUT) : input;
    this.#findings.push(
      isArray(scalar) || isObject(scalar) ? { path, message } : { path, message, input: scalar },
    );
  }

  string(object: JsonObject, name: string, parent: Path = []): void {
    const value = member(object, name) ?? null;
    if (value !== null && typeof value !== "string") this.#add([...parent, name], "must be a string", value);
  }

  uuid(document: JsonObject): void {
    this.string(document, "uuid");
    const value = member(document, "uuid");
    if (typeof value !== "string") return;
    if (value.length > MAX_UUID) this.#add(["uuid"], `must have at most ${MAX_UUID} characters`, value);
    // Databases and URLs cannot carry these faithfully, so two different uuids could become one.
    if (/\p{Cc}/u.test(value) || !value.isWellFormed()) {
      this.#add(["uuid"], "must not have control characters or broken Unicode", null);
    }
  }

  createdAt(document: JsonObject): void {
    const value = member(document, "created_at") ?? null;
    if (value === null || typeof value === "string" || (typeof value === "number" && value > 0)) return;
    this.#add(["created_at"], "must be a date or a positive number", value);
  }

  /** The entries of a list that are objects, with their index; everything else is a finding. */
  objects(document: JsonObject, name: string): readonly (readonly [number, JsonObject])[] {
    const list = member(document, name) ?? null;
    if (list === null) return [];
    if (!isArray(list)) {
      this.#add([name], "must be an array of objects", list);
      return [];
    }
    const found: [number, JsonObject][] = [];
    for (const [index, entry] of list.entries()) {
      if (isObject(entry)) found.push([index, entry]);
      else this.#add([name, index], "must be an object", entry);
    }
    return found;
  }

  partyReference(dialog: JsonObject, path: Path): void {
    const given = member(dialog, "parties") ?? null;
    if (given === null || isIndex(given) || (isArray(given) && given.every(isIndex))) return;
    const queue: { readonly value: JsonValue; readonly path: Path }[] = [{ value: given, path }];
    for (const { value, path: at } of queue) {
      if (isArray(value)) {
        for (const [index, inner] of value.entries()) queue.push({ value: inner, path: [...at, index] });
      } else if (value !== null && !isIndex(value)) this.#add(at, "must be an index into parties", value);
    }
  }
}

/** -1 occurs in real files and means that the party is not known. */
function isIndex(value: JsonValue): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= -1;
}
