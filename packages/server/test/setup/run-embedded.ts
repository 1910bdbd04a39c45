/**
 * A process that owns an embedded PostgreSQL: `run-embedded.ts DIRECTORY [uid]`. It prints one line of JSON (its
 * address, or why it did not start) and then stays until its input closes.
 */
import { EmbeddedPostgres } from "../../src/database/embedded.ts";
import { StartupError } from "../../src/startup-error.ts";

const [directory = "", uid] = process.argv.slice(2);

// Only now, with the modules loaded: that user may be barred from the checkout.
if (uid !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(Number(uid));
  process.setuid?.(Number(uid));
}

const postgres = new EmbeddedPostgres({ directory, log: (line) => console.error(line) });
try {
  await postgres.start();
  process.stdout.write(`${JSON.stringify({ url: postgres.url() })}\n`);
  process.stdin.resume().once("end", () => void postgres.stop());
} catch (error) {
  if (!(error instanceof StartupError)) throw error;
  process.stdout.write(`${JSON.stringify({ message: error.message, remedy: error.remedy })}\n`);
}
