import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/*/test/**/*.test.ts",
      "examples/**/*.test.ts",
      "bench/**/*.test.ts",
      "scripts/**/*.test.ts",
    ],
    globalSetup: ["packages/server/test/setup/postgres.ts"],
    setupFiles: ["packages/vcon/test/setup/fixed-seed.ts"],
    // Real processes: the tests kill, fork and wait for signals.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
