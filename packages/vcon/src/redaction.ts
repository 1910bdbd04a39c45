/** Redacted and amended copies of vCons, and finding personal data. */
export { amend, type NewVconOptions } from "./redaction/amend.ts";
export { type JqRedactOptions, redactWithJq } from "./redaction/jq-redact.ts";
export { type BuiltInDetectorOptions, builtInDetector, findPii } from "./redaction/pii/find-pii.ts";
export { type PresidioOptions, presidioDetector } from "./redaction/pii/presidio.ts";
export { replacePii } from "./redaction/pii/replace.ts";
export { type PiiDetector, type PiiKind, type PiiSpan, piiKinds } from "./redaction/pii/types.ts";
export { type RedactOptions, type RedactSelection, redact, type Selection } from "./redaction/redact.ts";
export { type PiiReport, type RedactPiiOptions, redactPii } from "./redaction/redact-pii.ts";
export type { PiiFinding } from "./redaction/scrubber.ts";
