import type { IngestRules } from "../principal.ts";
import type { Scope } from "../scopes.ts";

/** An API token, without what would let one use it. */
export interface Token {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  /** For the access lists of vCons. */
  readonly groups: readonly string[];
  /** The queues that it may work on. Undefined: all */
  readonly queues: readonly string[] | undefined;
  /** Of a key that only adds vCons to its queues. */
  readonly ingest: IngestRules | undefined;
  readonly createdAt: Date;
  /** The id of the principal that made it. */
  readonly createdBy: string;
  readonly expiresAt: Date | undefined;
  readonly revokedAt: Date | undefined;
  /** Right to the minute. */
  readonly lastUsedAt: Date | undefined;
  readonly lastUsedFrom: string | undefined;
}

export interface NewToken {
  readonly name: string;
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  readonly groups?: readonly string[] | undefined;
  readonly queues?: readonly string[] | undefined;
  readonly ingest?: IngestRules | undefined;
  readonly expiresAt?: Date | undefined;
  readonly createdBy: string;
}

/** The store of API tokens. A write has committed when it answers; a revoked token is refused from then on, everywhere. */
export interface TokenStore {
  /** @returns the token's text, which nobody can find out again */
  create(token: NewToken): Promise<{ readonly token: Token; readonly text: string }>;
  /** Newest first. */
  list(options: {
    readonly limit: number;
    readonly after?: Pick<Token, "createdAt" | "id"> | undefined;
  }): Promise<readonly Token[]>;
  /** @throws not_found */
  get(id: string): Promise<Token>;
  /** Does nothing to one that is revoked already. @throws not_found */
  revoke(id: string): Promise<void>;
  /** The token with the hash of its secret, for whoever checks it. */
  find(id: string): Promise<{ readonly token: Token; readonly hash: Uint8Array } | undefined>;
  /** Notes that it was used now, if that was not noted within the last minute. */
  noteUse(id: string, address: string): Promise<void>;
}
