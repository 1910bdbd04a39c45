import { extname } from "node:path";
import { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import type { App } from "../../http/app.ts";
import { type FaceOptions, ownRules } from "../../http/face.ts";
import { requireCaller } from "./authentication.ts";
import { readForm } from "./form.ts";
import { GatewayError } from "./problems.ts";
import { readOptions } from "./read-options.ts";
import type { Draft, TemporaryFiles } from "./temporary-files.ts";
import { freshName, UploadNames } from "./upload-names.ts";

/**
 * Uploading and fetching temporary files. Uploading takes what asking a service takes, or an address from
 * `/temporary_upload_path`, which is good for one upload; fetching, the name.
 */
export function fileRoutes(app: App, { context, prefix }: FaceOptions, files: TemporaryFiles): void {
  const names = new UploadNames(context.queueDatabase);

  app.get("/temporary_upload_path", readOptions(), async (request, reply) => {
    await requireCaller(request, context);
    const { extension } = Object(request.query);
    const name = await names.issue(typeof extension === "string" ? extension : "", files.longestMs);
    return reply.code(201).type("text/plain").send(fileUrl(request, { prefix, name }));
  });

  /** @returns whether it is one who has nothing but the address, and may make the file only while there is none */
  const isGuest = async (request: FastifyRequest, name: string | undefined): Promise<boolean> => {
    try {
      await requireCaller(request, context);
      return false;
    } catch (error) {
      if (name === undefined || !(await names.isGood(name))) throw error;
      return true;
    }
  };
  const isTaken = new GatewayError("ValueError", "The file has been uploaded already", 409);

  for (const path of ["/temporary_file", "/temporary_file/:name"]) {
    app.post(path, { schema: { ...ownRules } }, async (request, reply) => {
      const { name: wanted }: { readonly name?: string } = Object(request.params);
      const isNew = await isGuest(request, wanted);
      if (isNew && (await files.get(wanted ?? "")) !== undefined) throw isTaken;
      const name = await receiving(files, async (receive) => {
        const come: { readonly filename: string; readonly draft: Draft }[] = [];
        await readForm(request, async ({ filename, content }) => {
          come.push({ filename, draft: await receive(content) });
        });
        const [one, more] = come;
        if (one === undefined)
          throw new GatewayError("MissingParameterError", "There should be one file, as multipart/form-data");
        if (more !== undefined) throw new GatewayError("ValueError", "There should be one file, not several");
        const given = wanted ?? freshName(extname(one.filename));
        if (!(await one.draft.keep(given, { isNew }))) throw isTaken;
        return given;
      });
      return reply.code(201).type("text/plain").send(fileUrl(request, { prefix, name }));
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
      .send(request.method === "HEAD" ? Readable.from([]) : found.open());
  });
}

/** Does something with files as they come. Those that have got no name by its end are forgotten. */
export async function receiving<Result>(
  files: TemporaryFiles,
  work: (receive: TemporaryFiles["receive"]) => Promise<Result>,
): Promise<Result> {
  const drafts: Draft[] = [];
  try {
    return await work(async (content) => {
      const draft = await files.receive(content);
      drafts.push(draft);
      return draft;
    });
  } finally {
    await Promise.all(drafts.map((draft) => draft.drop()));
  }
}

export function fileUrl(
  request: FastifyRequest,
  { prefix, name }: { readonly prefix: string; readonly name: string },
): string {
  return `${rootOf(request, prefix)}/temporary_file/${encodeURIComponent(name)}`;
}

/** The address of the gateway, as the caller called it. */
export function rootOf({ protocol, host }: FastifyRequest, prefix: string): string {
  return `${protocol}://${host}${prefix}`;
}
