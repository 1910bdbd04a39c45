import { type JsonObject, type Vcon, VconError } from "@vconductor/vcon";
import { isJsonArray, isJsonObject } from "../processors/json.ts";

/** The lists of a vCon whose entries have content. */
export const contentParts = ["dialog", "analysis", "attachments"] as const;
export type ContentPart = (typeof contentParts)[number];

/**
 * A copy in which every entry of these lists was changed by `change`; entries that come back as they were leave the vCon
 * as it is. Errors of the library say which entry they are about.
 */
export async function mapContent(
  vcon: Vcon,
  parts: readonly ContentPart[],
  change: (entry: JsonObject, part: ContentPart) => Promise<JsonObject>,
): Promise<Vcon> {
  const changed: { [part in ContentPart]?: readonly JsonObject[] } = {};
  for (const part of parts) {
    const list: unknown = vcon[part];
    if (!Array.isArray(list)) continue;
    const next: JsonObject[] = [];
    for (const [index, entry] of list.entries()) {
      const changing = async () => (isJsonObject(entry) ? await change(entry, part) : entry);
      next.push(await placed(`${part} ${index}`, changing));
    }
    if (next.some((entry, index) => entry !== list[index])) changed[part] = next;
  }
  return Object.keys(changed).length === 0 ? vcon : { ...vcon, ...changed };
}

async function placed<Result>(place: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof VconError)) throw cause;
    throw new VconError(cause.code, `${place}: ${cause.message}`, { cause });
  }
}

/** A copy without some members. */
export function without(entry: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => !names.includes(name)));
}

/** The `content_hash` tokens of an entry. */
export function hashTokens({ content_hash: given }: JsonObject): readonly string[] {
  const all = given === undefined ? [] : isJsonArray(given) ? given : [given];
  return all.filter((token) => typeof token === "string");
}
