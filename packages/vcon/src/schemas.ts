/** The data model of the draft as JSON Schema (TypeBox), and the types of what it allows to be written. */
export { type AnalysisInput, analysisSchema } from "./validation/schema-analysis.ts";
export { type AttachmentInput, attachmentSchema } from "./validation/schema-attachment.ts";
export { type DialogInput, dialogSchema } from "./validation/schema-dialog.ts";
export { type PartyInput, partySchema } from "./validation/schema-party.ts";
export { encryptedVconSchema, signedVconSchema } from "./validation/schema-sealed.ts";
export { type VconInput, vconSchema } from "./validation/schema-vcon.ts";
