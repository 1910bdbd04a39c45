import { createHash } from "node:crypto";
import { sign } from "aws4";
import { ProviderDouble, type Received, type Reply } from "../doubles/provider.ts";

export const keys = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const region = "eu-central-1";

interface S3Object {
  readonly bytes: Buffer;
  readonly mediatype: string;
}

export interface S3Double {
  readonly double: ProviderDouble;
  /** By path: `/bucket/name`. */
  readonly objects: Map<string, S3Object>;
  /** The methods of the requests that came in, in order. */
  methods(): readonly string[];
  /** Settings of a server that keeps media here. */
  readonly env: Readonly<Record<string, string>>;
}

/** An S3 service with one bucket, `media`, which believes nobody whose signature does not fit. */
export async function startS3(): Promise<S3Double> {
  const objects = new Map<string, S3Object>();
  const double = await ProviderDouble.start((request) => refusal(request) ?? answer(request, objects));
  return {
    double,
    objects,
    methods: () => double.received.map(({ method }) => method),
    env: {
      MEDIA_STORE: "s3://media/calls",
      MEDIA_S3_ENDPOINT: double.url,
      MEDIA_S3_REGION: region,
      MEDIA_S3_ACCESS_KEY_ID: keys.accessKeyId,
      MEDIA_S3_SECRET_ACCESS_KEY: keys.secretAccessKey,
      MEDIA_URL: "https://calls.example/media",
      PROVIDER_RETRIES: "2",
      PROVIDER_RETRY_SECONDS: "0.001",
    },
  };
}

/** What S3 says to a request that it does not believe. */
function refusal({ method, path, headers, body }: Received): Reply | undefined {
  const given = headers.authorization ?? "";
  const names = /SignedHeaders=([^,]+)/.exec(given)?.[1]?.split(";") ?? [];
  const mustBeSigned = ["host", ...Object.keys(headers).filter((name) => name.startsWith("x-amz-"))];
  const unsigned = mustBeSigned.filter((name) => !names.includes(name));
  if (unsigned.length > 0) return problem(403, "AccessDenied", `unsigned: ${unsigned.join()}`);
  const signed = Object.fromEntries(names.map((name) => [name, String(headers[name])]));
  const expected = sign({ service: "s3", region, method, path, headers: signed }, keys).headers
    ?.Authorization;
  if (given !== expected) {
    return problem(403, "SignatureDoesNotMatch", "The request signature does not fit.");
  }
  const date = String(headers["x-amz-date"]).replace(/^(.{4})(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5");
  if (!(Math.abs(Date.now() - Date.parse(date)) < 15 * 60_000)) {
    return problem(403, "RequestTimeTooSkewed", "The time is too far from ours.");
  }
  const sha256 = createHash("sha256").update(body).digest("hex");
  if (headers["x-amz-content-sha256"] === sha256) return undefined;
  return problem(400, "XAmzContentSHA256Mismatch", "The body has another hash.");
}

function answer(
  { method, path, headers, body }: Received,
  objects: Map<string, { readonly bytes: Buffer; readonly mediatype: string }>,
): Reply {
  if (!path.startsWith("/media/"))
    return withoutBody(method, problem(404, "NoSuchBucket", "No such bucket."));
  if (method === "PUT") {
    objects.set(path, { bytes: body, mediatype: String(headers["content-type"]) });
    return {};
  }
  if (method === "DELETE") {
    objects.delete(path);
    return { status: 204 };
  }
  const found = objects.get(path);
  if (found === undefined) return withoutBody(method, problem(404, "NoSuchKey", "No such key."));
  const { bytes, mediatype } = found;
  const type = { "content-type": mediatype };
  if (method === "HEAD") return { headers: { ...type, "content-length": String(bytes.length) } };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
  if (first === undefined) return { headers: type, body: bytes };
  return { status: 206, headers: type, body: bytes.subarray(Number(first), Number(last) + 1) };
}

function withoutBody(method: string, reply: Reply): Reply {
  return method === "HEAD" ? { ...reply, body: "" } : reply;
}

/** As S3 words it; the real one repeats the id of the key as well. */
function problem(status: number, code: string, message: string): Reply {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message><AWSAccessKeyId>${keys.accessKeyId}</AWSAccessKeyId></Error>`;
  return { status, headers: { "content-type": "application/xml" }, body };
}
