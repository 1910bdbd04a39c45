/** The vCon document: read, check, migrate and write conversations. Runs in Node and in browsers. */
export {
  type ConversationStats,
  type ConversationTotals,
  conversationStats,
  type PartyStats,
} from "./conversation-stats.ts";
export { conversationStatsSchema } from "./conversation-stats-schema.ts";
export { formatDate, parseDate } from "./dates.ts";
export { defineFilter, type VconFilter } from "./define-filter.ts";
export { type Description, describe, searchText } from "./describe.ts";
export { type Finding, VconError, type VconErrorCode } from "./errors.ts";
export { detectForm, uuidOf } from "./form.ts";
export { exceedsDepth } from "./json-text.ts";
export { migrate } from "./migrate.ts";
export { partyKey } from "./parties.ts";
export { type ReadVcon, readVcon } from "./read.ts";
export { rewrite } from "./rewrite.ts";
export { isEncryptedVcon, isSignedVcon, isVcon } from "./shape.ts";
export { addTags, readTags } from "./tags.ts";
export { type Converted, type TargetVersion, toVersion } from "./to-version.ts";
export { type Turn, transcript, UNKNOWN_SPEAKER } from "./transcript.ts";
export type { TurnSource } from "./transcript-formats.ts";
export {
  type Analysis,
  type Attachment,
  type Dialog,
  type EncryptedVcon,
  type JsonObject,
  type JsonValue,
  type Party,
  type PartyReference,
  type SignedVcon,
  type Vcon,
  type VconForm,
  type VconVersion,
  vconVersions,
} from "./types.ts";
export { newUuid } from "./uuid.ts";
