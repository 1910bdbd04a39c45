import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { at } from "../http/call.ts";
import { vconductor } from "./command.ts";
import { directory, source } from "./directory.ts";

const shout = `
import { defineProcessor, Type } from "@vconductor/server/plugin";
import { addTags } from "@vconductor/vcon";

console.log("a plugin that talks");
setInterval(() => {}, 1000);

export default defineProcessor({
  name: "shout",
  title: "Shout",
  description: "Writes the subject in capital letters.",
  version: "2.1.0",
  options: Type.Object({
    key: Type.String({ writeOnly: true, default: "hidden-default", description: "Of the loudspeaker." }),
    mode: Type.Union([Type.Literal("low"), Type.Literal("high")], { default: "low" }),
    times: Type.Integer({ minimum: 1, maximum: 10, description: "How often. ${"On and on. ".repeat(12)}" }),
    rules: Type.Array(Type.Object({ word: Type.String() }), { default: [] }),
  }),
  example: { about: "Shouts three times.", options: { key: "plain-key", times: 3 } },
  process: (io) => (addTags === undefined ? io : io),
});
`;

interface Listing {
  readonly text: string;
  readonly status: unknown;
}

async function list(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Listing> {
  const run = vconductor(["plugins", ...args], { env });
  const status = await run.exit();
  return { text: run.stdout(), status };
}

describe("vconductor plugins", () => {
  it("lists what comes from where, with options, within 100 columns", async () => {
    const plugins = await directory({
      "shout.ts": shout,
      "tag.mjs": source("tag", "", 'replace: true, title: "Our tag",'),
    });
    const { text, status } = await list([], { PLUGIN_PATHS: plugins });
    expect(status).toBe(0);
    const [builtIn = "", ...files] = text.split(/^File /m);
    expect(builtIn).toMatch(/^Built in\n/);
    expect(builtIn).toMatch(/^ {2}queue_job +1\.0\.0 +Queue a job\n {6}queue_name +string +required\n/m);
    expect(builtIn).not.toMatch(/^ {2}tag /m);
    expect(files).toHaveLength(2);
    expect(text).toContain(`File ${join(plugins, "shout.ts")}\n\n  shout `);
    expect(text).toMatch(/^ {2}tag +1\.0\.0 +Our tag \(replaces the built-in one\)$/m);
    expect(text).toMatch(/^ {6}mode +"low" or "high" +default "low"$/m);
    expect(text).toMatch(/^ {6}times +integer from 1 to 10 +required$/m);
    expect(text).toMatch(/^ {6}key +string +secret, optional$/m);
    expect(text).not.toContain("hidden-default");
    expect(text).not.toContain("a plugin that talks");
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100);
  });

  it("names what cannot be loaded and why, with status 1", async () => {
    const plugins = await directory({
      "bad.ts": "const a = 1;\nthrow new Error('no luck');",
      "z.mjs": source("z", ""),
    });
    const { text, status } = await list([], {
      PLUGIN_PATHS: plugins,
      PLUGIN_PACKAGES: "vconductor-plugin-none",
    });
    expect(status).toBe(1);
    expect(text).toContain(`Could not be loaded\n\n  ${join(plugins, "bad.ts")}\n    no luck (line 2)\n`);
    expect(text).toContain("  vconductor-plugin-none\n    is not installed");
    expect(text).toMatch(/^ {2}z /m);
  });

  it("shows one in full, with its example", async () => {
    const plugins = await directory({ "shout.ts": shout });
    const { text, status } = await list(["shout"], { PLUGIN_PATHS: plugins });
    expect(status).toBe(0);
    expect(text).toContain(`shout 2.1.0: Shout\nFile ${join(plugins, "shout.ts")}\n\nWrites the subject`);
    expect(text).toContain("  rules[].word\n    string, required\n");
    const example: unknown = JSON.parse(text.slice(text.indexOf("Example: Shouts three times.") + 28));
    expect(example).toEqual({
      processor_name: "shout",
      processor_options: { key: "********", times: 3 },
    });
    expect(text).not.toContain("hidden-default");
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100);
  });

  it("says so when there is none by that name, and why that may be", async () => {
    const plugins = await directory({ "bad.mjs": "throw new Error('no luck');" });
    const run = vconductor(["plugins", "shout"], { env: { PLUGIN_PATHS: plugins } });
    expect(await run.exit()).toBe(1);
    expect(run.stdout()).toBe("");
    expect(run.output()).toBe(
      `Could not be loaded: ${join(plugins, "bad.mjs")}: no luck (line 1)\nprocessor: shout not registered\n`,
    );
  });

  it("gives programs the same", async () => {
    const plugins = await directory({ "shout.ts": shout, "bad.mjs": "throw new Error('no luck');" });
    const { text, status } = await list(["--json"], { PLUGIN_PATHS: plugins });
    expect(status).toBe(1);
    const json: unknown = JSON.parse(text);
    const processors = at(json, "processors");
    const last = Array.isArray(processors) ? processors.at(-1) : undefined;
    expect(last).toMatchObject({
      name: "shout",
      version: "2.1.0",
      title: "Shout",
      source: { kind: "file", from: join(plugins, "shout.ts") },
      example: { about: "Shouts three times.", options: { key: "********", times: 3 } },
    });
    expect(at(last, "options", 0)).toEqual({
      name: "key",
      type: "string",
      description: "Of the loudspeaker.",
      required: false,
      secret: true,
      reference: false,
    });
    expect(at(last, "options", 1)).toMatchObject({ name: "mode", required: false, default: "low" });
    expect(at(json, "problems")).toEqual([{ source: join(plugins, "bad.mjs"), message: "no luck (line 1)" }]);
  });
});
