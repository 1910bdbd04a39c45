/* The package.json of a package as it is published: it leads to dist/ where the source's leads to src/. */

type Json = null | boolean | number | string | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [name: string]: Json;
}

/** Members of package.json that are about working on the package. */
const forDevelopment = ["devDependencies"];

/**
 * @param source the text of the package.json in the repository. Its `exports` and `bin` may lead to `./src/….ts`, also
 * under conditions and with patterns; other files stay as they are
 */
export function packedManifest(source: string): JsonObject {
  const manifest = parseObject(source);
  const kept = Object.entries(manifest).filter(([name]) => !forDevelopment.includes(name));
  const exported = mapLeaves(manifest.exports ?? {}, exportTarget);
  const main = isObject(exported) ? (exported["."] ?? exported) : exported;
  return {
    ...Object.fromEntries(kept),
    // For tools that do not know `exports`.
    ...(isObject(main) && typeof main.types === "string" ? { types: main.types } : {}),
    exports: exported,
    ...(manifest.bin === undefined ? {} : { bin: mapLeaves(manifest.bin, commandTarget) }),
  };
}

/** The files to which a package.json leads, relative to its folder. */
export function targetsOf(text: string): {
  readonly files: readonly string[];
  readonly commands: readonly string[];
} {
  const manifest = parseObject(text);
  return { files: leavesOf(manifest.exports ?? null), commands: leavesOf(manifest.bin ?? null) };
}

function exportTarget(path: string): Json {
  const stem = compiled(path);
  return stem === undefined ? path : { types: `./${stem}.d.ts`, default: `./${stem}.js` };
}

/** npm wants no "./" here. */
function commandTarget(path: string): Json {
  const stem = compiled(path);
  return stem === undefined ? path : `${stem}.js`;
}

function compiled(path: string): string | undefined {
  const stem = /^(?:\.\/)?src\/(.+)\.ts$/.exec(path)?.[1];
  return stem === undefined ? undefined : `dist/${stem}`;
}

function mapLeaves(value: Json, change: (leaf: string) => Json): Json {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((entry: Json) => mapLeaves(entry, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, mapLeaves(entry, change)]));
}

function leavesOf(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(leavesOf) : [];
}

function parseObject(text: string): JsonObject {
  const value: Json = JSON.parse(text);
  if (!isObject(value)) throw new Error("package.json is not a JSON object.");
  return value;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
