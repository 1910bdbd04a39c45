#!/usr/bin/env node
/* The `vcon` command: `vcon --help` says what it does. Loaded first, so that an old Node.js gets a word it can use. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`vcon: it needs Node.js 22.12 or later; this is ${process.version}.\n`);
  process.exitCode = 1;
} else {
  const { runCommand } = await import("./run-command.ts");
  await runCommand(process.argv.slice(2));
}
