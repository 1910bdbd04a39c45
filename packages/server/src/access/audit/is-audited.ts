import type { Config } from "../../config.ts";

/** Whether it is recorded who does what. Without access control there is nobody to name. */
export function isAudited({ access, audit }: Pick<Config, "access" | "audit">): boolean {
  return access === "on" && audit !== "off";
}
