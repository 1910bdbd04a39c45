/** The vCon document: read, check, migrate, build and write conversations. Runs in Node and in browsers. */
export type {
  AnalysisOptions,
  AttachmentOptions,
  Body,
  CreateOptions,
  Disposition,
  ExternalRecording,
  InlineRecording,
  TransferOptions,
  VconBuilder,
} from "./building/builder.ts";
export type { DialogOptions, Moment, PartyEvent } from "./building/dialog-options.ts";
export {
  type ConversationStats,
  type ConversationTotals,
  conversationStats,
  type PartyStats,
} from "./conversation/conversation-stats.ts";
export { conversationStatsSchema } from "./conversation/conversation-stats-schema.ts";
export { type Description, describe, searchText } from "./conversation/describe.ts";
export { type Turn, transcript, UNKNOWN_SPEAKER } from "./conversation/transcript.ts";
export type { TurnSource } from "./conversation/transcript-formats.ts";
export {
  contentBytes,
  contentHash,
  type FetchOptions,
  type HashAlgorithm,
  inlineBytes,
  verifyContentHash,
} from "./document/content.ts";
export { formatDate, parseDate, writeDate } from "./document/dates.ts";
export { type Finding, VconError, type VconErrorCode } from "./document/errors.ts";
export type { Fetch, FetchResponse } from "./document/fetch.ts";
export { detectForm, uuidOf } from "./document/form.ts";
export { exceedsDepth, type Item, itemsOf, type Span, tokensOf, valueSpan } from "./document/json-text.ts";
export { migrate } from "./document/migrate.ts";
export { type ParsedDocument, type ParseOptions, parse } from "./document/parse.ts";
export { partyKey } from "./document/parties.ts";
export { type ReadVcon, readVcon } from "./document/read.ts";
export { rewrite } from "./document/rewrite.ts";
export { isEncryptedVcon, isSignedVcon, isVcon } from "./document/shape.ts";
export {
  contentText,
  type EncryptedDocument,
  fromContent,
  type ReadableDocument,
  type SignedDocument,
  type Signer,
  toText,
  toValue,
  type UnsignedDocument,
  type UnverifiedDocument,
  type VconDocument,
  type VconState,
  type VerifiedDocument,
  withContent,
} from "./document/states.ts";
export { addTags, readTags } from "./document/tags.ts";
export { type Converted, type TargetVersion, toVersion } from "./document/to-version.ts";
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
  type VconForm,
  type VconVersion,
  vconVersions,
} from "./document/types.ts";
export { newUuid } from "./document/uuid.ts";
export {
  type AnyFilter,
  applyFilter,
  defineFilter,
  defineSealFilter,
  type FilterContext,
  type SealFilter,
  type VconFilter,
} from "./filters/define-filter.ts";
export { mediatypeOf, type RecordingInfo, recordingInfo } from "./media/recording.ts";
export {
  type ValidateOptions,
  type ValidationFinding,
  type ValidationMode,
  validate,
} from "./validation/validate.ts";
export { Vcon } from "./vcon.ts";
