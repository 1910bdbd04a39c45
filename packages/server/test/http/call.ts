/** A request, and what came back. */
export interface CallOptions {
  /** Text and bytes are sent as they are, everything else as JSON; without a Content-Type, unless `headers` has one. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when there is none. */
  readonly json: unknown;
}

/** Sends a request and follows no redirect. */
export async function call(
  method: string,
  url: string,
  { body, headers }: CallOptions = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    redirect: "manual",
    ...(body === undefined ? {} : { body: toBytes(body) }),
    ...(headers === undefined ? {} : { headers }),
  });
  const text = await answer.text();
  const isJson = /^application\/json\b/.test(answer.headers.get("content-type") ?? "") && text !== "";
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
}

/** Always bytes: for a text, fetch would add a Content-Type. */
function toBytes(body: unknown): Uint8Array<ArrayBuffer> {
  if (body instanceof Uint8Array) return new Uint8Array(body);
  return new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
}

/** The part of a JSON value at a path; undefined where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (part, key) =>
      typeof part === "object" && part !== null
        ? Object.getOwnPropertyDescriptor(part, key)?.value
        : undefined,
    value,
  );
}
