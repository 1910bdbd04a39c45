import { resolve } from "node:path";
import { InvalidValue, type Kind } from "./setting.ts";

/** Where recordings and files are kept outside of vCons. */
export type MediaPlace =
  | { readonly kind: "directory"; readonly directory: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      /** Before every name, with a slash at its end; or empty. */
      readonly prefix: string;
    };

export const mediaPlace: Kind<MediaPlace> = {
  label: "directory:PATH or s3://BUCKET/PREFIX",
  plain: (place) =>
    place.kind === "directory" ? `directory:${place.directory}` : `s3://${place.bucket}/${place.prefix}`,
  parse(text, { directory }) {
    const path = /^directory:(.*)$/s.exec(text)?.[1];
    if (path !== undefined) {
      if (path.trim() === "") throw new InvalidValue("must name a directory: directory:PATH");
      return { kind: "directory", directory: resolve(directory, path) };
    }
    const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(text) ?? [];
    if (bucket === undefined) throw new InvalidValue("must look like directory:PATH or s3://BUCKET/PREFIX");
    return { kind: "s3", bucket, prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/` };
  },
};
