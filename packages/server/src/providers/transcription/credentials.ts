import { VconductorError } from "../../errors.ts";
import type { TranscriberContext } from "./transcriber.ts";

interface Needed {
  readonly provider: string;
  readonly variable: string;
}

/** @throws invalid_options it is not set */
export function neededKey(context: TranscriberContext, needed: Needed): string {
  return given(context.secret(needed.variable), needed);
}

/** Without a slash at its end. @throws invalid_options it is not set */
export function neededAddress(context: TranscriberContext, needed: Needed): string {
  return trimmedAddress(given(context.setting(needed.variable), needed));
}

export function trimmedAddress(address: string): string {
  return address.trim().replace(/\/+$/, "");
}

function given(value: string | undefined, { provider, variable }: Needed): string {
  if (value !== undefined && value.trim() !== "") return value;
  throw new VconductorError(
    "invalid_options",
    `the provider ${provider} needs ${variable}, which is not set; set it in the server's environment`,
  );
}
