import { type ListenAddress, listenAddress } from "./addresses.ts";
import { choice, list, optional, seconds } from "./kinds.ts";
import { setting } from "./setting.ts";

/** The systems whose APIs the server has beside its own. */
export const faceNames = ["sisyphus", "porch"] as const;
export type FaceName = (typeof faceNames)[number];

const systems: Readonly<Record<FaceName, string>> = {
  sisyphus: "Sisyphus",
  porch: "npg_porch",
};

const own = <Name extends FaceName>(name: Name) =>
  setting({
    variable: `${name.toUpperCase()}_URL`,
    group: "Other systems' APIs",
    kind: optional(listenAddress),
    default: "",
    defaultMeans: "none: it is at REST_URL, below its name",
    meaning: `An address of its own for the API of ${systems[name]}, which is then at its root: for clients that cannot take a path. With https://, as with REST_URL.`,
  });

const names = list(
  choice({ sisyphus: "sisyphus", porch: "porch" }),
  `none, or some of ${faceNames.join(", ")}, separated by commas`,
);
const namesOrNone: typeof names = {
  ...names,
  parse: (text, surroundings) => (text === "none" ? [] : names.parse(text, surroundings)),
};

export const faceSettings = {
  faces: setting<readonly FaceName[]>({
    variable: "FACES",
    group: "Other systems' APIs",
    kind: namesOrNone,
    default: faceNames.join(","),
    meaning:
      "The APIs of other systems that the server has, each below its name at REST_URL: `sisyphus` is that of the Sisyphus server, `porch` that of npg_porch. `none`: none.",
  }),
  sisyphusUrl: own("sisyphus"),
  porchUrl: own("porch"),
  clientExpirySeconds: setting({
    variable: "CLIENT_EXPIRY",
    group: "Other systems' APIs",
    kind: seconds(86_400),
    default: "30",
    meaning:
      "Seconds after its last heartbeat that a worker of the Sisyphus API is taken for dead, and its job goes back to the queue.",
  }),
};

/** The settings that give faces addresses of their own. */
export const faceUrls = [faceSettings.sisyphusUrl, faceSettings.porchUrl];

/** The address of its own that a face has, if it has one. */
export function addressOf(
  config: { readonly [Name in FaceName as `${Name}Url`]: ListenAddress | undefined },
  face: FaceName,
): ListenAddress | undefined {
  return { sisyphus: config.sisyphusUrl, porch: config.porchUrl }[face];
}
