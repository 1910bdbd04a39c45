import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { FastifyRequest } from "fastify";
import type { Config } from "../../config.ts";
import type { App } from "../../http/app.ts";
import { type FaceOptions, ownRules } from "../../http/face.ts";
import { requireCaller } from "./authentication.ts";
import { GatewayError } from "./problems.ts";
import { readOptions } from "./read-options.ts";

/** Files for a while, by name. Their names on the disk are hashes: nothing of a caller's gets there. */
export class TemporaryFiles {
  readonly #directory: string;
  readonly #mostBytes: number;
  readonly #longestMs: number;

  constructor({ gateway, gatewayFiles }: Pick<Config, "gateway" | "gatewayFiles">) {
    const { size_limit_gb = 10, max_file_duration_seconds = 86_400 } = gateway?.LOCAL_TEMPORARY_STORAGE ?? {};
    this.#directory = gatewayFiles === "" ? join(tmpdir(), "vconductor-gateway") : gatewayFiles;
    this.#mostBytes = size_limit_gb * 2 ** 30;
    this.#longestMs = max_file_duration_seconds * 1000;
  }

  /** Keeps it under the name, in place of what was there; the oldest files go where there is too much. */
  async put(name: string, content: Readable): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await this.#tidy();
    const path = this.#pathOf(name);
    const half = `${path}.${randomUUID()}`;
    try {
      await pipeline(content, createWriteStream(half, { mode: 0o600 }));
      await rename(half, path);
    } catch (error) {
      await rm(half, { force: true });
      throw error;
    }
  }

  async get(name: string): Promise<{ readonly size: number; readonly content: Readable } | undefined> {
    const path = this.#pathOf(name);
    const found = await stat(path).catch(() => undefined);
    return found === undefined ? undefined : { size: found.size, content: createReadStream(path) };
  }

  async #tidy(): Promise<void> {
    const names = await readdir(this.#directory);
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#directory, name);
        const found = await stat(path).catch(() => undefined);
        return { path, size: found?.size ?? 0, at: found?.mtimeMs ?? 0 };
      }),
    );
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size, at } of files.toSorted((a, b) => a.at - b.at)) {
      if (total <= this.#mostBytes && at > Date.now() - this.#longestMs) continue;
      await rm(path, { force: true });
      total -= size;
    }
  }

  #pathOf(name: string): string {
    return join(this.#directory, createHash("sha256").update(name).digest("hex"));
  }
}

/** Uploading and fetching temporary files. Uploading takes what asking a service takes; fetching, the name. */
export function fileRoutes(app: App, { context, prefix }: FaceOptions, files: TemporaryFiles): void {
  const urlOf = (request: FastifyRequest, name: string) =>
    `${rootOf(request, prefix)}/temporary_file/${encodeURIComponent(name)}`;

  app.get("/temporary_upload_path", readOptions(), async (request, reply) => {
    await requireCaller(request, context);
    const { extension } = Object(request.query);
    return reply
      .code(201)
      .type("text/plain")
      .send(urlOf(request, freshName(typeof extension === "string" ? extension : "")));
  });

  for (const path of ["/temporary_file", "/temporary_file/:name"]) {
    app.post(path, { schema: { ...ownRules } }, async (request, reply) => {
      await requireCaller(request, context);
      const { name: wanted } = Object(request.params);
      let name: string | undefined;
      if (request.isMultipart()) {
        for await (const part of request.parts()) {
          if (part.type !== "file") continue;
          if (name !== undefined)
            throw new GatewayError("ValueError", "There should be one file, not several");
          name = typeof wanted === "string" ? wanted : freshName(extname(part.filename));
          await files.put(name, part.file);
          if (part.file.truncated) throw new GatewayError("ValueError", "The file is too large", 413);
        }
      }
      if (name === undefined)
        throw new GatewayError("MissingParameterError", "There should be one file, as multipart/form-data");
      return reply.code(201).type("text/plain").send(urlOf(request, name));
    });
  }

  app.get("/temporary_file/:name", readOptions(), async (request, reply) => {
    const { name } = Object(request.params);
    const found = await files.get(String(name));
    if (found === undefined) throw new GatewayError("GenericError", "There is no such file", 404);
    return reply
      .header("content-length", String(found.size))
      .header("content-disposition", "attachment")
      .header("x-content-type-options", "nosniff")
      .type("application/octet-stream")
      .send(found.content);
  });
}

/** A name that nobody can guess. @param extension letters and digits of it are kept */
export function freshName(extension: string): string {
  const clean = extension.replace(/[^A-Za-z0-9]/g, "").slice(0, 20);
  return clean === "" ? randomUUID() : `${randomUUID()}.${clean}`;
}

/** The address of the gateway, as the caller called it. */
export function rootOf({ protocol, host }: FastifyRequest, prefix: string): string {
  return `${protocol}://${host}${prefix}`;
}
