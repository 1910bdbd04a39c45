import { type Static, type TSchema, Type } from "typebox";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { CONTENT_HASH, HTTPS_URL, MEDIATYPE } from "./patterns.ts";

/* Values that several objects of the format have. The schemas are the shape of what is written: types and what must be there. */

/** A schema whose static type also takes the members of extensions, as the schema itself does. */
export function extensible<Schema extends TSchema>(schema: Schema) {
  return Type.Unsafe<Static<Schema> & JsonObject>(schema);
}

export function listOf<Schema extends TSchema>(schema: Schema, options: { readonly minItems?: number } = {}) {
  return Type.Immutable(Type.Array(schema, options));
}

export const text = Type.Optional(Type.String());

/** Not allowed: neither by the schema nor by its static type. */
export const none = Type.Optional(Type.Never());

export const date = Type.String({
  format: "date-time",
  description:
    "RFC 3339, for example 2026-03-04T05:06:07Z; a fraction of a second only where it is not zero.",
});

export const uuid = Type.String({ format: "uuid" });

export const index = Type.Integer({ minimum: 0, description: "A place in the list, counted from 0." });

export const indexOrIndices = Type.Union([index, listOf(index)]);

const mediatype = Type.String({
  pattern: MEDIATYPE.source,
  description: 'For example "text/plain" or "audio/x-wav".',
});

/** The members of external content. */
export const external = {
  url: Type.Optional(Type.String({ pattern: HTTPS_URL.source, description: "An https URL." })),
  content_hash: Type.Optional(
    Type.Union([hash(), listOf(hash(), { minItems: 1 })], {
      description: "<algorithm>-<unpadded base64url digest>, for example sha512-…",
    }),
  ),
};

function hash() {
  return Type.String({ pattern: CONTENT_HASH.source });
}

/** The members of content, inline or external. */
export const content = {
  mediatype: Type.Optional(mediatype),
  filename: text,
  body: Type.Optional(
    Type.Unsafe<JsonValue>({ description: "With encoding json any value, otherwise a string." }),
  ),
  encoding: Type.Optional(Type.Enum(["base64url", "json", "none"])),
  ...external,
};

/**
 * Says which members must be there, and of what kind they then are (by default anything). The type and the properties
 * are for validators that are strict about schemas: they say nothing new.
 */
export function having(members: Readonly<Record<string, boolean | object>>) {
  return { type: "object", properties: members, required: Object.keys(members) };
}

const hasUrl = having({ url: true });
const hasBody = having({ body: { not: { enum: ["", null] } } });

/** What `url` needs beside it. For the `allOf` of a schema. */
export const externalDemands = [{ if: hasUrl, then: having({ content_hash: true }) }];

/** What content needs. */
export const contentDemands = [
  ...externalDemands,
  { if: hasBody, then: { ...having({ encoding: true }), not: hasUrl } },
  {
    if: having({ encoding: { enum: ["base64url", "none"] } }),
    then: { type: "object", properties: { body: { type: "string" } } },
  },
];

/** What content needs in dialogs and attachments. */
export const describedContentDemands = [
  ...contentDemands,
  { if: hasBody, then: having({ mediatype: true }) },
];
