import { type Static, Type } from "typebox";
import { analysisSchema } from "./schema-analysis.ts";
import { attachmentSchema } from "./schema-attachment.ts";
import { dialogSchema } from "./schema-dialog.ts";
import { partySchema } from "./schema-party.ts";
import { date, extensible, external, externalDemands, having, listOf, text, uuid } from "./schema-values.ts";

const redacted = extensible(
  Type.Object(
    {
      uuid: Type.Optional(uuid),
      type: Type.String({ description: "What kind of information was taken out." }),
      ...external,
    },
    { allOf: externalDemands, description: "The less redacted vCon that this one was made from." },
  ),
);

const amended = extensible(
  Type.Object(
    { uuid: Type.Optional(uuid), ...external },
    {
      allOf: [...externalDemands, { anyOf: [having({ uuid: true }), having({ url: true })] }],
      description: "The vCon that this one is a changed copy of.",
    },
  ),
);

/** The unsigned form, as version 0.4.0 is written. */
export const vconSchema = extensible(
  Type.Object(
    {
      vcon: Type.Optional(Type.Literal("0.4.0")),
      uuid,
      extensions: Type.Optional(listOf(Type.String())),
      critical: Type.Optional(listOf(Type.String())),
      created_at: date,
      updated_at: Type.Optional(date),
      subject: text,
      redacted: Type.Optional(redacted),
      amended: Type.Optional(amended),
      parties: Type.Optional(listOf(partySchema)),
      dialog: Type.Optional(listOf(dialogSchema)),
      analysis: Type.Optional(listOf(analysisSchema)),
      attachments: Type.Optional(listOf(attachmentSchema)),
    },
    { title: "vCon", not: having({ redacted: true, amended: true }) },
  ),
);

export type VconInput = Static<typeof vconSchema>;
