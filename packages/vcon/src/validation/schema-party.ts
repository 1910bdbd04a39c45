import { type Static, Type } from "typebox";
import { DID } from "./patterns.ts";
import { extensible, text } from "./schema-values.ts";

function noted(description: string) {
  return Type.Optional(Type.String({ description }));
}

const civicaddress = Type.Object(
  {
    country: text,
    a1: noted("State or province."),
    a2: noted("County or district."),
    a3: noted("City."),
    a4: noted("Borough."),
    a5: noted("Neighbourhood."),
    a6: noted("Street."),
    prd: text,
    pod: text,
    sts: text,
    hno: noted("House number."),
    hns: text,
    lmk: noted("Landmark."),
    loc: text,
    flr: noted("Floor."),
    nam: noted("Who lives there."),
    pc: noted("Postal code."),
  },
  { additionalProperties: Type.String() },
);

/** Somebody who takes part. Nothing is required: `{}` holds a place. */
export const partySchema = extensible(
  Type.Object(
    {
      tel: noted('A telephone number, for example "+15550100"; tel: in front is optional.'),
      sip: noted('For example "sip:ann@example.com".'),
      mailto: noted("An e-mail address; mailto: in front is optional."),
      name: noted('"anonymous" for somebody who is hidden on purpose.'),
      did: Type.Optional(
        Type.String({ pattern: DID.source, description: "A decentralized identifier (DID)." }),
      ),
      uuid: noted("Names the participant in any form; need not be a UUID."),
      stir: noted("A PASSporT in the compact form of JWS."),
      validation: noted('How the name was checked; "none" if it was not.'),
      gmlpos: noted('"latitude longitude" in degrees.'),
      civicaddress: Type.Optional(civicaddress),
      type: noted("person, bot or organization."),
      org: text,
      dept: text,
    },
    { title: "Party" },
  ),
);

export type PartyInput = Static<typeof partySchema>;
