import { readFileSync } from "node:fs";

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);

/** Versions of what runs here. `reference` names the releases of the reference server whose API is kept. */
export const version = {
  vconductor: manifest.version,
  node: process.versions.node,
  vcon: "0.4.0",
  reference: { py_vcon_server: "0.5.0", vcon: "0.6.0" },
} as const;
