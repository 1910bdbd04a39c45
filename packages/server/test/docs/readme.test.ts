import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startTestServer } from "../setup/test-server.ts";

const root = join(import.meta.dirname, "../../../..");
const hasCurl = spawnSync("curl", ["--json", "{}", "--version"]).status === 0;

test.skipIf(!hasCurl)(
  "the README's first session works as it stands (skipped without curl 7.82 or later)",
  async () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const session = readme.slice(readme.indexOf("## A first session"));
    const script = [...session.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code]) => code).join("\n");
    expect(script).toContain("URL=http://localhost:8000");
    const server = await startTestServer();
    try {
      const own = script.replaceAll("http://localhost:8000", server.url);
      const { stdout } = await promisify(execFile)("bash", ["-eu", "-c", own], {
        cwd: root,
        timeout: 60_000,
      });
      expect(stdout).toContain('"outcome":"done"');
      expect(stdout).toContain("team:support");
      const sample: { readonly uuid: string } = JSON.parse(
        readFileSync(join(root, "examples/conversations/team-chat.vcon.json"), "utf8"),
      );
      expect((await server.call("GET", `/vcon/${sample.uuid}`)).json).toMatchObject({
        analysis: [{ type: "conversation_stats" }],
        attachments: [{ purpose: "tags", body: ["team:support"] }],
      });
    } finally {
      await server.stop();
    }
  },
);
