import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("./main.ts", import.meta.url));

test("the benchmark measures every row and reports it", async () => {
  const directory = await mkdtemp(join(tmpdir(), "vconductor-bench-test-"));
  try {
    const file = join(directory, "report.json");
    const { stdout } = await promisify(execFile)(process.execPath, [program, "--quick", "--output", file]);
    const report: unknown = JSON.parse(await readFile(file, "utf8"));
    const names = [
      "memory",
      "store",
      "read",
      "jobs",
      "enqueue",
      "pickup",
      "remote",
      "register",
      "claim",
      "aged",
      "parse",
      "sign",
    ];
    expect(report).toMatchObject({
      settings: { document_bytes: 12_000, postgresql: { fsync: "on", synchronous_commit: "on" } },
      rows: names.map((name) => ({
        name,
        result: expect.any(Number),
        rounds: expect.arrayContaining([expect.any(Number)]),
      })),
    });
    expect(stdout).toContain("raw speed beside it");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
