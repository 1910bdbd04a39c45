import type { JsonObject, JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../../errors.ts";

/* Careful looks into what providers answer: servers that claim to be compatible leave members out. */

export function objectIn(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

export function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function textIn(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

/** Seconds and the like: numbers, also written as text; undefined for what cannot be. */
export function numberIn(value: JsonValue | undefined): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** A confidence within 0 and 1. */
export function confidenceIn(value: JsonValue | undefined): number | undefined {
  const number = numberIn(value);
  return number === undefined ? undefined : Math.min(1, number);
}

export function voiceIn(value: JsonValue | undefined): number | string | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

/** @throws provider_failed `answer` is no object */
export function objectAnswer(provider: string, answer: JsonValue): JsonObject {
  if (isObject(answer)) return answer;
  throw unreadable(provider, "is not a JSON object");
}

export function unreadable(provider: string, what: string): VconductorError {
  return new VconductorError("provider_failed", `${provider}: the answer ${what}`);
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The mean of what is known. */
export function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return undefined;
  return Math.round((known.reduce((sum, value) => sum + value, 0) / known.length) * 10_000) / 10_000;
}
