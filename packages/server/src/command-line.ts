import { Console } from "node:console";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { addAuditCommands } from "./audit-command.ts";
import { describeConfig, formatConfigError } from "./check.ts";
import { type Config, ConfigError, readConfig } from "./config.ts";
import { VconductorError } from "./errors.ts";
import { addPorchCommands } from "./porch-command.ts";
import type { Server } from "./server.ts";
import { StartupError } from "./startup-error.ts";
import { addTokenCommands } from "./token-command.ts";
import { version } from "./version.ts";

// Each command loads what it needs itself: the watcher stays small, and lists are quick.

const program = new Command("vconductor")
  .description(
    "vConductor, the conversation server. Settings are environment variables: see docs/configuration.md.",
  )
  .version(version.vconductor)
  .showHelpAfterError();

program
  .command("serve", { isDefault: true })
  .description("start the server; Ctrl-C stops it")
  .option("--watch", "restart it whenever a plugin in PLUGIN_PATHS changes, for development")
  .action(async ({ watch }: { readonly watch?: boolean }) => {
    const config = readConfig(process.env);
    if (watch === true) return watchPlugins(config.pluginPaths);
    const { Server } = await import("./server.ts");
    const server = new Server(config);
    stopOnSignal(server);
    await server.start();
    process.stdout.write(
      [
        `vConductor ${version.vconductor} is running.`,
        `  API      ${server.url}`,
        `  API docs ${server.url}/docs`,
        `  ${openTo(config)} Ctrl-C stops it.`,
        "",
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
  .command("plugins")
  .argument("[name]", "of a processor: show it in full")
  .option("--json", "for programs")
  .description("list the processors and their options, and the plugins that cannot be loaded")
  .action(async (name: string | undefined, { json }: { readonly json?: boolean }) => {
    const config = readConfig(process.env);
    // What plugins print as they are loaded is no part of the answer.
    globalThis.console = new Console(process.stderr);
    const { loadProcessors } = await import("./processors/load.ts");
    const { listPlugins, pluginsAsJson, showPlugin } = await import("./plugins.ts");
    const { pluginPaths, pluginPackages: packages } = config;
    const registry = await loadProcessors({ pluginPaths, packages, log: noLog });
    // The list has them itself; here they tell why a name may be missing.
    const problems = name === undefined || json ? [] : registry.problems;
    for (const { source, message } of problems) console.error(`Could not be loaded: ${source}: ${message}`);
    const layout = { width: Math.min(process.stdout.columns ?? 100, 100), directory: process.cwd() };
    const text = json
      ? `${JSON.stringify(pluginsAsJson(registry, name), null, 2)}\n`
      : name === undefined
        ? listPlugins(registry, layout)
        : showPlugin(registry, name, layout);
    await end(text, registry.problems.length === 0 ? 0 : 1);
  });

program
  .command("migrate")
  .description("bring the database schema up to date, for servers that run with MIGRATE=off")
  .action(async () => {
    const { Databases } = await import("./databases.ts");
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

addTokenCommands(program);
addAuditCommands(program);
addPorchCommands(program);

const noLog = { debug() {}, info() {}, warn() {}, error() {} };

/** Ends the process once the text is out: a plugin may hold a timer that would keep it alive. */
function end(text: string, status: number): Promise<void> {
  return new Promise(() => process.stdout.write(text, () => process.exit(status)));
}

/** Who may use the server, in a sentence. */
function openTo({ access, rest }: Pick<Config, "access" | "rest">): string {
  if (access === "on") {
    const callers =
      "Callers must say who they are; `vconductor token create --name NAME --role admin` makes a token.";
    const open = rest.loopback || rest.protocol === "https";
    return open
      ? callers
      : `${callers}\n  Without TLS, whoever is on the way can read their tokens: docs/access.md.`;
  }
  return rest.loopback
    ? "It listens on this machine only (no access control is configured)."
    : "ACCESS=off: everyone who can reach this address may do everything.";
}

async function watchPlugins(directories: readonly string[]): Promise<void> {
  const { serveAndWatch } = await import("./watch.ts");
  const program = fileURLToPath(new URL("./main.ts", import.meta.url));
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  process.exitCode = await serveAndWatch({ directories, program, say });
}

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
  // Started by `serve --watch`, which is gone.
  process.once("disconnect", () => stop("the watcher ended"));
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof ConfigError) process.stderr.write(`${formatConfigError(error)}\n`);
  else if (error instanceof StartupError) process.stderr.write(`${error.message}\n\n${error.remedy}\n`);
  else if (error instanceof VconductorError) process.stderr.write(`${error.message}\n`);
  else throw error;
  process.exitCode = 1;
}
