import { inputIdOf } from "../../../src/ledger/task-identity.ts";
import { type Answer, at, call } from "../../http/call.ts";
import { startApi } from "../../http/start-api.ts";

/** A user of the porch face. */
export class Porch {
  readonly #base: string;
  readonly #token: string | undefined;

  /** @param base with the path of the face, without a slash at its end */
  constructor(base: string, token?: string) {
    this.#base = base;
    this.#token = token;
  }

  as(token: string | undefined): Porch {
    return new Porch(this.#base, token);
  }

  call(method: string, path: string, body?: unknown): Promise<Answer> {
    return call(method, `${this.#base}${path}`, {
      ...(body === undefined ? {} : { body }),
      headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
    });
  }

  register(pipeline: object, task_input: unknown): Promise<Answer> {
    return this.call("POST", "/tasks/", { pipeline, task_input, status: "PENDING" });
  }

  claim(pipeline: object, query = ""): Promise<Answer> {
    return this.call("POST", `/tasks/claim${query}`, pipeline);
  }

  put(pipeline: object, task_input: unknown, status: string, more: object = {}): Promise<Answer> {
    return this.call("PUT", "/tasks/", { pipeline, task_input, status, ...more });
  }
}

/** An API of its own, an administrator of its ledger, and somebody without a token. */
export async function startPorch() {
  const api = await startApi();
  const nobody = new Porch(`${api.url}/porch`);
  const adminToken = await api.ledger.addToken({ pipeline: undefined, description: "first" });
  return { api, admin: nobody.as(adminToken), adminToken, nobody };
}

export const detail = (answer: Answer) => at(answer.json, "detail");

export const pathOf = (pipeline: { readonly name: string }, input: object) =>
  `/pipelines/${pipeline.name}/tasks/${inputIdOf(JSON.stringify(input))}`;

let made = 0;

/** A pipeline of its own, and a user with a token for it. @param admin an administrator of the ledger */
export async function makePipeline(admin: Porch) {
  const name = `pipeline-${++made}`;
  const pipeline = { name, uri: `http://example.org/${name}`, version: "1.0" };
  await admin.call("POST", "/pipelines/", pipeline);
  const token = await admin.call("POST", `/pipelines/${name}/token/worker%20of%20${name}`);
  return {
    pipeline,
    user: admin.as(String(at(token.json, "token"))),
    token: String(at(token.json, "token")),
  };
}
