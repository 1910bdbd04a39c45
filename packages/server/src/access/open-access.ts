import type { Config } from "../config.ts";
import type { ProcessorLog } from "../processors/define.ts";
import type { Stores } from "../stores.ts";
import { Authenticator } from "./authenticator.ts";
import { jwtSource } from "./jwt/jwt-source.ts";
import { postgresTokenStore } from "./tokens/postgres-token-store.ts";
import { tokenSource } from "./tokens/token-source.ts";
import type { TokenStore } from "./tokens/token-store.ts";

/** Who may use the server: everything that the API needs to know it. */
export interface Access {
  readonly authenticator: Authenticator;
  readonly tokens: TokenStore;
}

/** Opens what the settings ask for. */
export function openAccess({
  config,
  stores,
  log,
}: {
  readonly config: Config;
  readonly stores: Pick<Stores, "stateDatabase">;
  readonly log: Pick<ProcessorLog, "warn">;
}): Access {
  const tokens = postgresTokenStore(stores.stateDatabase);
  const onError = (error: unknown) => log.warn({ err: error }, "the last use of a token could not be noted");
  const onUnavailable = (error: unknown) => log.warn({ err: error }, "the keys of JWTs cannot be had");
  const jwt = jwtSource(config, { onUnavailable });
  const sources = [tokenSource(tokens, { onError }), ...(jwt === undefined ? [] : [jwt])];
  return { authenticator: new Authenticator(sources), tokens };
}
