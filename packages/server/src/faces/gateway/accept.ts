import type { FastifyRequest } from "fastify";
import Negotiator from "negotiator";

/**
 * Whether the caller would rather have a type than others. Of those that are as good to it, the first that it names is meant;
 * where it does not care, the first of `over`.
 */
export function prefers(
  request: FastifyRequest,
  type: string,
  { over }: { readonly over: readonly string[] },
): boolean {
  return new Negotiator(request).mediaType([...over, type]) === type;
}
