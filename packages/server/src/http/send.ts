import type { FastifyReply } from "fastify";

/** Sends a value as JSON. */
export function json(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.type("application/json").send(JSON.stringify(value ?? null));
}

/** Sends JSON text as it is. */
export function jsonText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("application/json").send(text);
}

export function noContent(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}
