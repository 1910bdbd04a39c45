import type { Config } from "../config.ts";
import type { Stores } from "../stores.ts";
import { Authenticator } from "./authenticator.ts";
import type { CredentialSource } from "./credentials.ts";

/** Who may use the server: everything that the API needs to know it. */
export interface Access {
  readonly authenticator: Authenticator;
}

/** Opens what the settings ask for. */
export async function openAccess(_options: {
  readonly config: Config;
  readonly stores: Pick<Stores, "stateDatabase">;
}): Promise<Access> {
  const sources: CredentialSource[] = [];
  return { authenticator: new Authenticator(sources) };
}
