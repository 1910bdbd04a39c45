import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startTestServer } from "../setup/test-server.ts";
import { follow, hasCurl } from "./follow.ts";

const root = join(import.meta.dirname, "../../../..");

test.skipIf(!hasCurl)(
  "the README's first session works as it stands (skipped without curl 7.82 or later)",
  async () => {
    const server = await startTestServer();
    try {
      const stdout = await follow("README.md", "A first session", { URL: server.url });
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
