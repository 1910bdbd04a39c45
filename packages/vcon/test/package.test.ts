import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const folder = new URL("../src/", import.meta.url);

/** Only the command, and what says so in its name, may use Node. */
const nodeOnly = /^command\//;

test("the library runs in a browser: nothing of Node outside the command", () => {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  expect(names.length).toBeGreaterThan(20);
  for (const name of names.filter((each) => !nodeOnly.test(each))) {
    const source = readFileSync(new URL(name, folder), "utf8");
    const imports = [...source.matchAll(/\b(?:from|import) ?\(?"([^"]+)"/g)].map((match) => match[1]);
    for (const specifier of imports) expect(specifier, name).not.toMatch(/^node:|command\//);
    expect(source, name).not.toMatch(/\b(?:Buffer|process)\./);
  }
});
