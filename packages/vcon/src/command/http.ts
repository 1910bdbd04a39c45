import { readFile } from "node:fs/promises";
import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { CommandError } from "./exit-codes.ts";

export interface HttpOptions {
  /** Sent as `Authorization: Bearer`. Default: the environment variable VCON_TOKEN */
  readonly token?: string;
  /** Paths of PEM files: who is trusted beside the system's authorities, and who the caller is. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Seconds without an answer. Default: 60 */
  readonly timeout?: string;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer<ArrayBuffer>;
}

/**
 * Where vCons are on a server. The reference's `HOST PORT` means http; a whole URL may say https and a path before
 * `/vcon`.
 */
export function vconUrl(base: string, uuid?: string): URL {
  const url = URL.parse(base.endsWith("/") ? base : `${base}/`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CommandError(`${base} is not a URL such as https://vcons.example.com`, 2);
  }
  return new URL(uuid === undefined ? "vcon" : `vcon/${encodeURIComponent(uuid)}`, url);
}

export async function postVcon(url: URL, text: string, options: HttpOptions): Promise<void> {
  const { status, body } = await send(url, { method: "POST", text, options });
  if (status < 200 || status > 299) throw refused(url, status, body);
}

export async function getVcon(url: URL, options: HttpOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { status, body } = await send(url, { method: "GET", text: undefined, options });
  if (status === 204 || status === 404)
    throw new CommandError(
      `${url.host} has no vCon ${decodeURIComponent(url.pathname.split("/").at(-1) ?? "")}.`,
      5,
    );
  if (status < 200 || status > 299) throw refused(url, status, body);
  return new Uint8Array(body);
}

function refused(url: URL, status: number, body: Buffer): CommandError {
  const said = body
    .toString("utf8", 0, 500)
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
  const hint = status === 401 || status === 403 ? " Give a token: --token, or the variable VCON_TOKEN." : "";
  return new CommandError(`${url.host} answered ${status}${said === "" ? "" : `: ${said}`}.${hint}`, 5);
}

async function send(
  url: URL,
  {
    method,
    text,
    options,
  }: { readonly method: string; readonly text: string | undefined; readonly options: HttpOptions },
): Promise<Answer> {
  const { token = process.env.VCON_TOKEN, timeout = "60" } = options;
  const file = async (path: string | undefined) => (path === undefined ? undefined : readFile(path));
  const [ca, cert, key] = await Promise.all([file(options.ca), file(options.cert), file(options.key)]);
  const body = text === undefined ? undefined : Buffer.from(text);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = (url.protocol === "https:" ? secureRequest : plainRequest)(
    url,
    {
      method,
      timeout: Number(timeout) * 1000,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json", "content-length": body.length }),
        ...(token === undefined || token === "" ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      response.on("error", reject);
    },
  );
  request.on("timeout", () => request.destroy(new Error(`no answer within ${timeout} seconds`)));
  request.on("error", reject);
  request.end(body);
  return promise.catch((error: unknown) => {
    throw new CommandError(`${url.host} cannot be reached: ${reasonOf(error)}.`, 5);
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  return error instanceof Error ? error.message || error.name : String(error);
}
