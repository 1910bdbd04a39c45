import type { Socket } from "node:net";
import type { Config } from "../config.ts";
import { VconductorError } from "../errors.ts";
import type { App } from "./app.ts";

/**
 * A server that stops takes no new requests; those under way have until the end of the grace period to finish.
 * What waits for something to happen (events, long polls) ends itself in an earlier `preClose`.
 *
 * Closing the server would wait as well, but on `localhost` there are two, one for each address, and only the
 * first one is waited for.
 * @returns what waits for the requests under way; to be added as the last `preClose`
 */
export function addStopping(
  app: App,
  { stopGraceSeconds }: Pick<Config, "stopGraceSeconds">,
): () => Promise<void> {
  const sockets = new Set<Socket>();
  const idle = Promise.withResolvers<void>();
  let underWay = 0;
  let stopping = false;

  const track = (socket: Socket) => {
    if (sockets.has(socket)) return;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  // Clients also open connections on which no request has come yet.
  app.server.on("connection", track);

  app.addHook("onRequest", (request, reply, done) => {
    underWay += 1;
    // Not `onResponse`: that is not called for an answer which a route writes by itself.
    reply.raw.once("close", () => {
      underWay -= 1;
      if (stopping && underWay === 0) idle.resolve();
    });
    track(request.raw.socket);
    if (!stopping) return done();
    done(new VconductorError("stopping", "The server is stopping", { retryAfter: 1 }));
  });
  // A connection that is kept would hold up the end until it has been idle for long enough.
  app.addHook("onSend", (_request, reply, payload, done) => {
    if (stopping) reply.header("connection", "close");
    done(null, payload);
  });

  return async () => {
    stopping = true;
    if (underWay > 0) {
      const late = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, stopGraceSeconds * 1000);
      await idle.promise;
      clearTimeout(late);
    }
    // What is still open now is kept by clients for requests that will not be taken.
    for (const socket of sockets) socket.destroySoon();
  };
}
