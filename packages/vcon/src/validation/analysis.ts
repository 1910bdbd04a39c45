import { has, stringMember } from "../document/json.ts";
import { contentRules, contentTypes, hasBody } from "./content.ts";
import { contentHashRules } from "./content-hash.ts";
import { indexOrIndices, memberTypes, missing, string } from "./member-types.ts";
import { eachString, removedMembers, renamedMembers } from "./member-values.ts";
import { indexRange } from "./references.ts";
import { about, must, oneOf, type Rule, should, shown } from "./rule.ts";

const TYPES = ["report", "sentiment", "summary", "transcript", "translation", "tts"];

/** The Analysis Object. */
export const analysisRules: readonly Rule[] = [
  ...memberTypes(
    {},
    {
      ...contentTypes,
      type: string,
      dialog: indexOrIndices,
      attachment: indexOrIndices,
      vendor: string,
      product: string,
      schema: string,
    },
  ),
  must("analysis-type-missing", ({ object }, report) => {
    if (missing(object, ["type"]).length > 0)
      report(["type"], `type is missing; say ${oneOf(TYPES)}, or what else it is`);
  }),
  should(
    "analysis-type",
    eachString(["type"], (_name, value, report) => {
      if (!TYPES.includes(value))
        report(["type"], `type ${shown(value)} should be one that others know: ${oneOf(TYPES)}`, value);
    }),
  ),
  must("vendor-missing", ({ object }, report) => {
    if (missing(object, ["vendor"]).length > 0)
      report(["vendor"], "vendor is missing; say whose program made the analysis");
  }),
  should(
    "analysis-mediatype-missing",
    about(["body"], ({ object }, report) => {
      if (!hasBody(object) || has(object, "mediatype")) return;
      if (has(object, "product") && stringMember(object, "schema") !== undefined) return;
      report(
        ["mediatype"],
        "mediatype should be given, or else product and schema, so that the body can be understood",
      );
    }),
  ),
  indexRange({ dialog: ["dialog"], attachments: ["attachment"] }),
  ...contentRules,
  ...contentHashRules,
  renamedMembers({ mimetype: "mediatype", vendor_product: "product", vendor_schema: "schema" }),
  removedMembers({ transcript: "put it into body, with encoding json for an object and none for text" }),
];
