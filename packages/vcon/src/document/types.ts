/** Any JSON value, as `JSON.parse` gives it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. May own a member named `__proto__`: read members with `Object.hasOwn`, copy with a spread. */
export interface JsonObject {
  readonly [member: string]: JsonValue;
}

/** How a document travels: plain JSON, JWS (General JSON serialization) or JWE (General JSON serialization). */
export type VconForm = "unsigned" | "signed" | "encrypted";

/** The versions of the format that are read, oldest first. The last one is the one that is written. */
export const vconVersions = ["0.0.1", "0.0.2", "0.3.0", "0.4.0"] as const;
export type VconVersion = (typeof vconVersions)[number];

/**
 * Types of a document that has been read. A member with an exact type has been checked by `readVcon`; one typed
 * `JsonValue` is known to the format, but real files stray from it, so its readers must look before they leap.
 * Unknown members are allowed everywhere and kept.
 */
export interface Party extends JsonObject {
  readonly tel?: string | null;
  readonly sip?: string | null;
  readonly mailto?: string | null;
  readonly name?: string | null;
  readonly did?: string | null;
  readonly uuid?: string | null;
  readonly stir?: string | null;
  readonly validation?: string | null;
  readonly gmlpos?: string | null;
  readonly role?: string | null;
  readonly contact_list?: string | null;
  readonly civicaddress?: JsonValue;
}

/** Who takes part: an index into `parties`, or per channel an index, a list of indices, or null (unused channel). */
export type PartyReference = null | number | readonly PartyReference[];

/** Members that dialogs, analyses and attachments share: the content, inline or external. */
interface Content extends JsonObject {
  readonly mediatype?: JsonValue;
  readonly filename?: JsonValue;
  readonly body?: JsonValue;
  readonly encoding?: JsonValue;
  readonly url?: JsonValue;
  readonly content_hash?: JsonValue;
}

export interface Dialog extends Content {
  /** "recording", "recording-set", "text", "transfer" or "incomplete"; others occur. */
  readonly type?: string | null;
  readonly start?: JsonValue;
  /** Seconds. */
  readonly duration?: JsonValue;
  readonly parties?: PartyReference;
  readonly originator?: JsonValue;
  readonly disposition?: JsonValue;
  readonly session_id?: JsonValue;
  readonly party_history?: JsonValue;
  readonly application?: JsonValue;
  readonly message_id?: JsonValue;
}

export interface Analysis extends Content {
  readonly type?: JsonValue;
  readonly dialog?: JsonValue;
  readonly vendor?: JsonValue;
  readonly product?: JsonValue;
  readonly schema?: JsonValue;
}

export interface Attachment extends Content {
  readonly purpose?: JsonValue;
  readonly start?: JsonValue;
  readonly party?: JsonValue;
  readonly dialog?: JsonValue;
}

/** An unsigned vCon. */
export interface Vcon extends JsonObject {
  readonly uuid: string;
  readonly vcon?: string | null;
  /** A date, or (seen in real files) seconds since 1970. */
  readonly created_at?: string | number | null;
  readonly updated_at?: JsonValue;
  readonly subject?: JsonValue;
  readonly redacted?: JsonValue;
  readonly amended?: JsonValue;
  readonly extensions?: JsonValue;
  readonly critical?: JsonValue;
  readonly parties?: readonly Party[] | null;
  readonly dialog?: readonly Dialog[] | null;
  readonly analysis?: readonly Analysis[] | null;
  readonly attachments?: readonly Attachment[] | null;
}

/** A signed vCon. `payload` is base64url of the JSON, or of its gzip. */
export interface SignedVcon extends JsonObject {
  readonly payload: string;
  readonly signatures: readonly JsonObject[];
}

export interface EncryptedVcon extends JsonObject {
  readonly ciphertext: string;
  readonly recipients: readonly JsonObject[];
}
