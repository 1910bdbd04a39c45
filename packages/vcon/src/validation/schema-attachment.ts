import { type Static, Type } from "typebox";
import { content, date, describedContentDemands, extensible, index } from "./schema-values.ts";

/** A document that was handed over, or belongs to the conversation in another way. */
export const attachmentSchema = extensible(
  Type.Object(
    {
      purpose: Type.Optional(Type.String({ description: 'What it is for, for example "tags".' })),
      start: date,
      party: index,
      dialog: index,
      ...content,
    },
    { title: "Attachment", allOf: describedContentDemands },
  ),
);

export type AttachmentInput = Static<typeof attachmentSchema>;
