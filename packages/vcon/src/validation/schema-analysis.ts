import { type Static, Type } from "typebox";
import { content, contentDemands, extensible, indexOrIndices, text } from "./schema-values.ts";

/** What was found out about dialogs or attachments. */
export const analysisSchema = extensible(
  Type.Object(
    {
      type: Type.String({
        description: "report, sentiment, summary, transcript, translation, tts, or another.",
      }),
      dialog: Type.Optional(indexOrIndices),
      attachment: Type.Optional(indexOrIndices),
      vendor: Type.String({ description: "Whose program made it." }),
      product: text,
      schema: Type.Optional(Type.String({ description: "The format of the body." })),
      ...content,
    },
    { title: "Analysis", allOf: contentDemands },
  ),
);

export type AnalysisInput = Static<typeof analysisSchema>;
