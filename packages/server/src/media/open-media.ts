import type { Config } from "../config.ts";
import type { ProcessorLog } from "../processors/define.ts";
import { ContentStore } from "./content-store.ts";
import { directoryBackend } from "./directory-backend.ts";
import type { MediaBackend } from "./media-backend.ts";

type MediaSettings = Pick<
  Config,
  | "rest"
  | "mediaStore"
  | "mediaUrl"
  | "mediaS3Endpoint"
  | "mediaS3Region"
  | "mediaS3AccessKeyId"
  | "mediaS3SecretAccessKey"
  | "provider"
>;

/** The store that the settings name. It opens nothing yet. */
export function openMedia(config: MediaSettings, log: ProcessorLog): ContentStore {
  const backend = openBackend(config, log);
  return new ContentStore({ backend, url: config.mediaUrl ?? `${config.rest.url}/media` });
}

/** Where the store that the settings name keeps content. It opens nothing yet. */
export function openBackend(config: MediaSettings, log: ProcessorLog): MediaBackend {
  const place = config.mediaStore;
  if (place.kind === "directory") return directoryBackend(place.directory);
  // Its client is loaded only where it is used.
  let opened: Promise<MediaBackend> | undefined;
  const backend = () => {
    opened ??= import("./s3-backend.ts").then(({ s3Backend }) =>
      s3Backend({
        ...place,
        region: config.mediaS3Region,
        endpoint: config.mediaS3Endpoint,
        accessKeyId: config.mediaS3AccessKeyId ?? "",
        secretAccessKey: config.mediaS3SecretAccessKey ?? "",
        setting: (name) => config.provider[name],
        log,
      }),
    );
    return opened;
  };
  return {
    write: async (name, content) => (await backend()).write(name, content),
    read: async (name) => (await backend()).read(name),
    open: async (name) => (await backend()).open(name),
    delete: async (name) => (await backend()).delete(name),
  };
}
