import { VconError } from "../document/errors.ts";
import type { JsonValue } from "../document/types.ts";

/** Every output of a jq program. @throws VconError invalid_query */
export async function runJq(program: string, input: JsonValue): Promise<readonly JsonValue[]> {
  const { raw } = await import("jq-wasm");
  // As text: an object would be written with JSON.stringify anyway. "--" because a program may begin with a minus sign.
  const text = JSON.stringify(input);
  const { stdout, stderr, exitCode } = await raw(text, program, ["-c", "--"]).catch((cause: unknown) => {
    const size = `${Math.round(text.length / 1_000_000)} MB`;
    throw new VconError(
      "invalid_query",
      `The jq program gave up: ${size} of JSON may be more than jq has room for.`,
      { cause },
    );
  });
  if (exitCode !== 0) {
    const reason = stderr.trim().split("\n")[0] ?? "";
    throw new VconError("invalid_query", `The jq program failed. ${reason}`);
  }
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line): JsonValue => JSON.parse(line));
}
