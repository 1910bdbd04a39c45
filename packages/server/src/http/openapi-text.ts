/** The introduction of the API's description. */
export const answersDescription = [
  "Stores conversations (vCons) and runs them through pipelines of processors.",
  "",
  "- Every error is JSON: `detail` (a text, or a list of findings), `code` (one of a closed set) and, where the reference server had one, `exception_class`.",
  "- Any route can also answer 404 (no such path), 405, 408 and 431, and 503 with `Retry-After` while the database is away.",
  "- `Idempotency-Key` on POST and PUT makes it safe to repeat a request: the first answer is given again.",
  "- `ETag` of a vCon is its revision; `If-Match` and `If-None-Match` work on it.",
].join("\n");
