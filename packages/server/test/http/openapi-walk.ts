import { expect } from "vitest";
import type { TestServer } from "../setup/test-server.ts";
import type { Answer, CallOptions } from "./call.ts";
import type { OpenApiDocument } from "./openapi-document.ts";

export interface WalkCall extends CallOptions {
  /** The values of the path's parameters, in order. */
  readonly path?: readonly (string | number)[];
  /** Without the question mark. */
  readonly query?: string;
}

/** Calls operations, compares each answer with the document, and keeps count of what was called. */
export class Walk {
  readonly #server: Pick<TestServer, "call">;
  readonly #document: OpenApiDocument;
  readonly #seen = new Map<string, Set<number>>();

  constructor(server: Pick<TestServer, "call">, document: OpenApiDocument) {
    this.#server = server;
    this.#document = document;
  }

  /** @param key as in `GET /vcon/{vcon_uuid}` */
  async call(key: string, status: number, { path = [], query, ...options }: WalkCall = {}): Promise<Answer> {
    const operation = this.#document.operation(key);
    const values = path.map((value) => encodeURIComponent(value));
    const target = operation.path.replace(/\{\w+\}/g, () => values.shift() ?? "missing");
    const url = query === undefined ? target : `${target}?${query}`;
    const answer = await this.#server.call(operation.method, url, options);
    expect([key, answer.status, answer.text.slice(0, 300)]).toEqual([key, status, expect.any(String)]);
    expect(this.#document.differences(operation, answer)).toEqual([]);
    this.seen(key, status);
    return answer;
  }

  seen(key: string, status: number): void {
    const statuses = this.#seen.get(key) ?? new Set();
    this.#seen.set(key, statuses.add(status));
  }

  /** The operations that were never called with success, or never with an error. */
  left(): { readonly success: readonly string[]; readonly error: readonly string[] } {
    const without = (wanted: (status: number) => boolean) =>
      this.#document.operations
        .map(({ key }) => key)
        .filter((key) => ![...(this.#seen.get(key) ?? [])].some(wanted));
    return { success: without((status) => status < 300), error: without((status) => status >= 400) };
  }
}
