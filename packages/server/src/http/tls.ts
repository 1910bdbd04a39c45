import type { Server as HttpServer, RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { Logger } from "pino";
import { readTlsPair, type TlsFiles, type TlsPair } from "../config/tls.ts";

const lookEveryMs = 2_000;

export interface TlsOptions {
  readonly files: TlsFiles;
  readonly log: Pick<Logger, "info" | "error">;
  /** How often to look whether the files have changed, in milliseconds. Default: 2000 */
  readonly everyMs?: number;
}

/**
 * Servers with TLS, whose certificate and key are read anew when their files change: new connections get the new ones,
 * those that are there go on. A pair that does not fit, as when only one of the two was written yet, is left alone.
 */
export class Tls {
  readonly #options: TlsOptions;
  readonly #servers = new Set<Server>();
  #pair: TlsPair;
  #refused: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @throws Error the files cannot be used */
  constructor(options: TlsOptions) {
    this.#options = options;
    this.#pair = readTlsPair(options.files);
  }

  /** A server, as Fastify wants it made. */
  makeServer(handler: RequestListener, options: object): HttpServer {
    const server = createServer({ ...options, ...this.#pair, minVersion: "TLSv1.2" }, handler);
    this.#servers.add(server);
    server.once("close", () => this.#servers.delete(server));
    return server;
  }

  start(): void {
    const { everyMs = lookEveryMs } = this.#options;
    // The contents and not the files: certificates are swapped by renaming and by links to other directories.
    this.#timer ??= setInterval(() => this.#look(), everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const { files, log } = this.#options;
    try {
      const pair = readTlsPair(files);
      this.#refused = undefined;
      if (pair.cert === this.#pair.cert && pair.key === this.#pair.key) return;
      for (const server of this.#servers) server.setSecureContext({ ...pair, minVersion: "TLSv1.2" });
      this.#pair = pair;
      log.info({ certificate: files.certificate }, "the certificate was read anew");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === this.#refused) return;
      this.#refused = reason;
      log.error({ reason }, `the new certificate cannot be used, the old one stays: ${reason}`);
    }
  }
}
