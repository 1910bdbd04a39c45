import { type Scope, scopes } from "../../src/access/scopes.ts";
import { postgresTokenStore } from "../../src/access/tokens/postgres-token-store.ts";
import type { NewToken, TokenStore } from "../../src/access/tokens/token-store.ts";
import { Database } from "../../src/database/database.ts";
import type { TestApi } from "../http/start-api.ts";

/** All scopes but `admin`. */
export const ordinary: readonly Scope[] = scopes.filter((scope) => scope !== "admin");

export const tokensOf = (api: Pick<TestApi, "stores">) => postgresTokenStore(api.stores.stateDatabase);

/** The tokens in a database; to be stopped. */
export function tokensAt(url: string) {
  const database = new Database({ url, poolSize: 1 });
  return { store: postgresTokenStore(database), stop: () => database.stop() };
}

/** Makes a token. Default: for all but administration, in the tenant a */
export async function makeToken(tokens: TokenStore, more: Partial<NewToken> = {}) {
  const { text, token } = await tokens.create({
    name: "test",
    tenant: "a",
    scopes: ordinary,
    createdBy: "test",
    ...more,
  });
  return { id: token.id, text, headers: { authorization: `Bearer ${text}` } };
}
