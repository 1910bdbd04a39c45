import type { CredentialSource, Verdict } from "./credentials.ts";

/** Finds out whose a credential is. */
export class Authenticator {
  readonly #sources: readonly CredentialSource[];

  constructor(sources: readonly CredentialSource[]) {
    this.#sources = sources;
  }

  async check(credential: string, address: string): Promise<Verdict> {
    const source = this.#sources.find((one) => one.takes(credential));
    return (await source?.check(credential, address)) ?? { refused: "this server takes no such credential" };
  }
}
