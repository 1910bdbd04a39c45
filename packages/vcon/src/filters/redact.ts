import { Type } from "typebox";
import { VconError } from "../document/errors.ts";
import { amend } from "../redaction/amend.ts";
import { redactWithJq } from "../redaction/jq-redact.ts";
import { builtInDetector } from "../redaction/pii/find-pii.ts";
import { presidioDetector } from "../redaction/pii/presidio.ts";
import { redactPii } from "../redaction/redact-pii.ts";
import { defineFilter } from "./define-filter.ts";

const uuidDomain = Type.Union([Type.String(), Type.Null()], {
  title: "uuid domain",
  description: "In the uuid of the new vCon. By default the host's name.",
  default: null,
});

export const createAmendedFilter = defineFilter<{ readonly uuid_domain: string | null }>({
  name: "create_amended",
  title: "Create amended",
  description:
    "Makes a copy with its own uuid that says which vCon it amends, to be changed instead of the original.",
  version: "1.0.0",
  options: Type.Object({ uuid_domain: uuidDomain }),
  apply: (vcon, options, { domain }) => amend(vcon, { domain: options.uuid_domain ?? domain }),
});

export const jqRedactionFilter = defineFilter<{
  readonly jq_redaction_query: string;
  readonly redaction_type_label: string;
  readonly uuid_domain: string | null;
}>({
  name: "jq_redaction",
  title: "Redact with jq",
  description: "Makes a redacted vCon out of the first result of a jq program over the vCon.",
  version: "1.0.0",
  options: Type.Object({
    jq_redaction_query: Type.String({
      minLength: 1,
      title: "query",
      description: "jq program that gives the redacted vCon.",
    }),
    redaction_type_label: Type.String({
      minLength: 1,
      title: "type",
      description: "What kind of information is removed.",
    }),
    uuid_domain: uuidDomain,
  }),
  apply: (vcon, { jq_redaction_query: query, redaction_type_label: type, uuid_domain }, { domain, jq }) =>
    redactWithJq(vcon, { query, type, domain: uuid_domain ?? domain, jq }),
});

export const redactPiiFilter = defineFilter<{
  readonly redaction_type_label: string;
  readonly country: string;
  readonly keep_names: boolean;
  readonly presidio_url: string;
  readonly language: string;
  readonly uuid_domain: string | null;
}>({
  name: "redact_pii",
  title: "Redact personal data",
  description:
    "Makes a redacted vCon without the personal data that is found in it, and without recordings of it.",
  version: "1.0.0",
  options: Type.Object({
    redaction_type_label: Type.String({
      minLength: 1,
      title: "type",
      description: "What kind of information is removed.",
      default: "PII",
    }),
    country: Type.String({
      pattern: "^[A-Z]{2}$",
      title: "country",
      description: "Whose telephone numbers are written without a country code.",
      default: "US",
    }),
    keep_names: Type.Boolean({
      title: "keep names",
      description: "Leaves the names of the parties in.",
      default: false,
    }),
    presidio_url: Type.String({
      title: "Presidio address",
      description: "Of a Presidio analyzer to use instead of the built-in detection.",
      default: "",
    }),
    language: Type.String({ title: "language", description: "Of the text, for Presidio.", default: "en" }),
    uuid_domain: uuidDomain,
  }),
  async apply(vcon, options, { domain, fetch, signal }) {
    const {
      redaction_type_label: type,
      country,
      keep_names: keepNames,
      presidio_url: url,
      language,
    } = options;
    if (url !== "" && !URL.canParse(url))
      throw new VconError("invalid_option", `presidio_url: ${url} is not a URL.`);
    const host = { ...(fetch === undefined ? {} : { fetch }), ...(signal === undefined ? {} : { signal }) };
    const detector = url === "" ? builtInDetector({ country }) : presidioDetector({ url, language, ...host });
    const result = await redactPii(vcon, {
      domain: options.uuid_domain ?? domain,
      type,
      detector,
      keepNames,
    });
    return result.vcon;
  },
});
