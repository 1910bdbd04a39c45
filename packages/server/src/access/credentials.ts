import type { Principal } from "./principal.ts";

/** Whose a credential is; or why it is refused, in words that the caller may read ("the token has expired"). */
export type Verdict = { readonly principal: Principal } | { readonly refused: string };

/** One kind of credentials: API tokens, JWTs. */
export interface CredentialSource {
  /** Whether the credential looks like one of these. */
  takes(credential: string): boolean;
  /** @param address where the request came from, for the record of last uses */
  check(credential: string, address: string): Promise<Verdict>;
}
