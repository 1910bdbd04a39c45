import { type ListenAddress, listenAddress } from "./addresses.ts";
import { choice, list, optional } from "./kinds.ts";
import { setting } from "./setting.ts";

/** The systems whose APIs the server has beside its own. */
export const faceNames = ["porch"] as const;
export type FaceName = (typeof faceNames)[number];

const systems: Readonly<Record<FaceName, string>> = {
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
  choice({ porch: "porch" }),
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
      "The APIs of other systems that the server has, each below its name at REST_URL: `porch` is that of npg_porch. `none`: none.",
  }),
  porchUrl: own("porch"),
};

/** The settings that give faces addresses of their own. */
export const faceUrls = [faceSettings.porchUrl];

/** The address of its own that a face has, if it has one. */
export function addressOf(
  config: { readonly porchUrl: ListenAddress | undefined },
  face: FaceName,
): ListenAddress | undefined {
  return { porch: config.porchUrl }[face];
}
