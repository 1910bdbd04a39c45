import type { CredentialSource } from "../credentials.ts";
import type { Principal } from "../principal.ts";
import type { Token, TokenStore } from "./token-store.ts";
import { fits, looksLikeToken, readToken } from "./token-text.ts";

const unknown = { refused: "it is no token of this server" };
/** Compared with when there is no token of that id, so that this takes as long as a wrong secret. */
const noHash = new Uint8Array(32);

/** API tokens as credentials. Why one is refused is said only to who has its secret. */
export function tokenSource(
  tokens: Pick<TokenStore, "find" | "noteUse">,
  options: { readonly onError: (error: unknown) => void },
): CredentialSource {
  return {
    takes: looksLikeToken,

    async check(credential, address) {
      const given = readToken(credential);
      if (given === undefined) return unknown;
      const found = await tokens.find(given.id);
      if (!fits(given.secret, found?.hash ?? noHash) || found === undefined) return unknown;
      const { token } = found;
      if (token.revokedAt !== undefined) return { refused: "it was revoked" };
      if (token.expiresAt !== undefined && token.expiresAt <= new Date()) {
        return { refused: `it expired on ${token.expiresAt.toISOString()}` };
      }
      // A record for operators: no request waits for it, or fails with it.
      const unnoted = token.lastUsedAt === undefined || token.lastUsedAt.getTime() < Date.now() - 60_000;
      if (unnoted) tokens.noteUse(token.id, address).catch(options.onError);
      return { principal: toPrincipal(token) };
    },
  };
}

function toPrincipal({ id, name, tenant, groups, scopes, queues, ingest }: Token): Principal {
  const via = ingest === undefined ? "token" : "ingest";
  return { id: `token:${id}`, name, via, tenant, groups, scopes, queues, ingest };
}
