import { AwsV4Signer } from "aws4fetch";
import { fetch, type Response } from "undici";
import { VconductorError } from "../errors.ts";
import type { ProcessorLog } from "../processors/define.ts";
import { type Attempt, withRetries } from "../providers/retry.ts";

export interface S3Options {
  readonly bucket: string;
  /** Before every name: empty, or with a slash at its end. */
  readonly prefix: string;
  readonly region: string;
  /** Of a service that is not Amazon's; undefined: Amazon's of the region. */
  readonly endpoint: string | undefined;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The value of PROVIDER_RETRIES, PROVIDER_RETRY_SECONDS and PROVIDER_TIMEOUT_SECONDS. */
  readonly setting: (name: string) => string | undefined;
  readonly log: ProcessorLog;
}

export interface S3Request {
  readonly method: "HEAD" | "GET" | "PUT" | "DELETE";
  /** Of the object, without the prefix. */
  readonly name: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly bytes: Uint8Array; readonly sha256: string };
}

/** Of nothing: what requests without a body say that they send. */
const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * Signed requests to one bucket of Amazon S3, or of a service with its API. The address is the operator's own: no guard
 * is asked.
 */
export class S3Bucket {
  readonly #options: S3Options;
  readonly #base: string;
  readonly #signal = new AbortController().signal;

  constructor(options: S3Options) {
    this.#options = options;
    this.#base = addressOf(options);
  }

  /**
   * Makes a request, and again after 408, 429, 5xx and what the network does.
   *
   * @param read takes what is needed of the answer; when it fails, the request counts as failed
   * @returns what `read` gives; undefined when a GET, HEAD or DELETE finds nothing
   * @throws provider_failed
   */
  async send<Answer>(
    request: S3Request,
    read: (response: Response) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { log, setting } = this.#options;
    const context = { log, setting, signal: this.#signal };
    return await withRetries(context, this.#title, () => this.#try(request, read));
  }

  get #title(): string {
    return `media store s3://${this.#options.bucket}`;
  }

  async #try<Answer>(
    request: S3Request,
    read: (response: Response) => Promise<Answer>,
  ): Promise<Attempt<Answer | undefined>> {
    const late = new AbortController();
    const seconds = Number(this.#options.setting("PROVIDER_TIMEOUT_SECONDS"));
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${seconds} s`)), seconds * 1000);
    try {
      const response = await this.#fetch(request, late.signal);
      if (response.ok) return { answer: await read(response) };
      const { status } = response;
      const reason = reasonOf(await response.text());
      // A missing bucket is told apart by its code; an answer to HEAD has none, and the next PUT will tell.
      if (status === 404 && request.method !== "PUT" && !reason.startsWith("NoSuchBucket")) {
        return { answer: undefined };
      }
      return {
        error: this.#failed(request, `answered ${status}${reason === "" ? "" : ` ${reason}`}${hint(status)}`),
        again: status === 408 || status === 429 || status >= 500,
      };
    } catch (error) {
      return { error: this.#failed(request, rootMessage(error), error), again: true };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Signed anew each time: signatures are valid for some minutes only. */
  async #fetch({ method, name, headers, body }: S3Request, signal: AbortSignal): Promise<Response> {
    const { accessKeyId, secretAccessKey, region } = this.#options;
    const signed = await new AwsV4Signer({
      method,
      url: `${this.#base}${name}`,
      headers: { ...headers, "x-amz-content-sha256": body?.sha256 ?? emptySha256 },
      accessKeyId,
      secretAccessKey,
      region,
      service: "s3",
    }).sign();
    return await fetch(signed.url, {
      method,
      headers: Object.fromEntries(signed.headers),
      body: body?.bytes ?? null,
      redirect: "manual",
      signal,
    });
  }

  #failed({ method }: S3Request, what: string, cause?: unknown): VconductorError {
    return new VconductorError("provider_failed", `${this.#title}: ${method} ${what}`, { cause });
  }
}

function addressOf({ bucket, prefix, region, endpoint }: S3Options): string {
  const path = prefix.split("/").map(encodeURIComponent).join("/");
  if (endpoint !== undefined) return `${endpoint}/${bucket}/${path}`;
  // A certificate for one level of names does not cover a bucket with dots.
  return bucket.includes(".")
    ? `https://s3.${region}.amazonaws.com/${bucket}/${path}`
    : `https://${bucket}.s3.${region}.amazonaws.com/${path}`;
}

/** Code and message of an error in XML. The rest is left out: it repeats the request, the id of the key included. */
function reasonOf(xml: string): string {
  const [code, message] = ["Code", "Message"].map((tag) =>
    new RegExp(`<${tag}>([^<]{1,300})</${tag}>`).exec(xml.slice(0, 10_000))?.[1]?.trim(),
  );
  return [code, message].filter((part) => part !== undefined).join(": ");
}

function hint(status: number): string {
  if (status === 403) {
    return "; check the keys, and that they allow s3:GetObject, s3:PutObject and s3:ListBucket (without the last, S3 says 403 of what is not there)";
  }
  if (status >= 300 && status < 400) return "; check MEDIA_S3_REGION and MEDIA_S3_ENDPOINT";
  return "";
}

function rootMessage(error: unknown): string {
  let message = String(error);
  for (let at = error; at instanceof Error; at = at.cause) message = at.message || message;
  return `failed: ${message}`;
}
