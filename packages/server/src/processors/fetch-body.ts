import { Response } from "undici";
import { VconductorError } from "../errors.ts";

export interface BodyLimit {
  readonly maxBytes: number;
  /** Turns a failure in the middle of the body into the error the reader gets. */
  readonly onError: (cause: unknown) => unknown;
}

/**
 * The same response with a body that fails once it has given more than `maxBytes`.
 *
 * @throws fetch_refused at once when the announced length is too large
 */
export async function limitBody(response: Response, limit: BodyLimit): Promise<Response> {
  const { body } = response;
  if (body === null) return response;
  if (Number(response.headers.get("content-length") ?? 0) > limit.maxBytes) {
    await body.cancel();
    throw tooLarge(limit.maxBytes);
  }
  const reader = body.getReader();
  let seen = 0;
  const limited = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        seen += value.byteLength;
        if (seen <= limit.maxBytes) return controller.enqueue(value);
        controller.error(tooLarge(limit.maxBytes));
        await reader.cancel();
      } catch (cause) {
        controller.error(limit.onError(cause));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const { status, statusText, headers } = response;
  return new Response(limited, { status, statusText, headers });
}

function tooLarge(maxBytes: number): VconductorError {
  return new VconductorError("fetch_refused", `fetch refused: the answer is larger than ${maxBytes} bytes`);
}
