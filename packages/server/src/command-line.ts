import { Command } from "commander";
import { describeConfig, formatConfigError } from "./check.ts";
import { ConfigError, readConfig } from "./config.ts";
import { Databases } from "./databases.ts";
import { Server } from "./server.ts";
import { StartupError } from "./startup-error.ts";
import { version } from "./version.ts";

const program = new Command("vconductor")
  .description(
    "vConductor, the conversation server. Settings are environment variables: see docs/configuration.md.",
  )
  .version(version.vconductor)
  .showHelpAfterError();

program
  .command("serve", { isDefault: true })
  .description("start the server; Ctrl-C stops it")
  .action(async () => {
    const config = readConfig(process.env);
    const server = new Server(config);
    stopOnSignal(server);
    await server.start();
    process.stdout.write(
      [
        `vConductor ${version.vconductor} is running.`,
        `  API      ${server.url}`,
        `  API docs ${server.url}/docs`,
        ...(config.rest.loopback
          ? ["  It listens on this machine only (no access control is configured). Ctrl-C stops it.", ""]
          : ["  ACCESS=off: everyone who can reach this address may do everything. Ctrl-C stops it.", ""]),
      ].join("\n"),
    );
  });

program
  .command("check")
  .description("check the settings, and show those in force")
  .action(() => {
    process.stdout.write(`${describeConfig(readConfig(process.env))}\n`);
  });

program
  .command("migrate")
  .description("bring the database schema up to date, for servers that run with MIGRATE=off")
  .action(async () => {
    const databases = new Databases({
      config: readConfig(process.env),
      log: (line) => process.stderr.write(`${line}\n`),
    });
    try {
      await databases.start();
      const applied = await databases.migrate();
      const text = applied.length === 0 ? "The schema is up to date." : `Applied: ${applied.join(", ")}`;
      process.stdout.write(`${text}\n`);
    } finally {
      await databases.stop();
    }
  });

/**
 * The first signal stops cleanly; a second one, from somebody who will not wait, at once. One that follows on the
 * heels of the first is the same wish, sent to the process and to its group.
 */
function stopOnSignal(server: Server): void {
  let stoppingSince: number | undefined;
  const stop = (signal: string) => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > 500) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    process.stderr.write(`${signal}: stopping; runs under way may finish (again to stop at once)\n`);
    void server.stop().then(() => process.exit(0));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop(signal));
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof ConfigError) process.stderr.write(`${formatConfigError(error)}\n`);
  else if (error instanceof StartupError) process.stderr.write(`${error.message}\n\n${error.remedy}\n`);
  else throw error;
  process.exitCode = 1;
}
