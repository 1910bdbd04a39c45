import type { Config, ConfigError, SettingInForce } from "./config.ts";

/**
 * The settings in force as a table for a terminal: variable, where its value came from, value. Secrets and
 * passwords are masked.
 */
export function describeConfig(config: Config): string {
  const width = Math.max(...config.inForce.map((entry) => entry.variable.length));
  const line = (entry: SettingInForce) =>
    `  ${entry.variable.padEnd(width)}  ${entry.from.padEnd("environment".length)}  ${textOf(entry.value)}\n`;
  const groups = Map.groupBy(config.inForce, (entry) => entry.group);
  return [...groups].map(([group, entries]) => `${group}\n${entries.map(line).join("")}`).join("\n");
}

/** What is wrong with the settings, one line a setting, for a terminal. */
export function formatConfigError(error: ConfigError): string {
  const count = error.problems.length;
  const lines = error.problems.map(
    ({ variable, value, message }) => `  ${variable}=${JSON.stringify(value)} ${message}\n`,
  );
  return `${count === 1 ? "One setting is" : `${count} settings are`} not valid:\n${lines.join("")}`;
}

function textOf(value: SettingInForce["value"]): string {
  if (value === null) return "-";
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.map(textOf).join(", ");
  if (typeof value !== "object") return String(value);
  return Object.keys(value).length === 0 ? "-" : JSON.stringify(value);
}
