import { type ListenAddress, listenAddress } from "./addresses.ts";
import { gatewayFile } from "./gateway-config.ts";
import { choice, list, optional, seconds, secret, text } from "./kinds.ts";
import { setting } from "./setting.ts";

/** The systems whose APIs the server has beside its own. */
export const faceNames = ["sisyphus", "porch", "gateway"] as const;
export type FaceName = (typeof faceNames)[number];

const systems: Readonly<Record<FaceName, string>> = {
  sisyphus: "Sisyphus",
  porch: "npg_porch",
  gateway: "the CANARIE Service Gateway",
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
  choice({ sisyphus: "sisyphus", porch: "porch", gateway: "gateway" }),
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
      "The APIs of other systems that the server has, each below its name at REST_URL: `sisyphus` is that of the Sisyphus server, `porch` that of npg_porch, `gateway` that of the CANARIE Service Gateway. `none`: none.",
  }),
  sisyphusUrl: own("sisyphus"),
  porchUrl: own("porch"),
  gatewayUrl: own("gateway"),
  gateway: setting({
    variable: "GATEWAY_CONFIG",
    group: "Other systems' APIs",
    kind: optional(gatewayFile),
    default: "",
    defaultMeans: "none: there is no gateway",
    meaning: "A JSON file with the services of the gateway: see docs/gateway.md.",
  }),
  gatewayJwtKey: setting({
    variable: "GATEWAY_JWT_KEY",
    group: "Other systems' APIs",
    kind: optional(secret),
    default: "",
    defaultMeans: "none",
    meaning:
      "The key of the JWTs that clients of the gateway send, in base64 (JWT_SIGNATURE_KEY there). With it, and with ACCESS=on, callers of the gateway must say who they are.",
  }),
  gatewayJwtAudience: setting({
    variable: "GATEWAY_JWT_AUDIENCE",
    group: "Other systems' APIs",
    kind: text,
    default: "",
    defaultMeans: "none",
    meaning: "The audience that those JWTs must name; needed with GATEWAY_JWT_KEY.",
  }),
  gatewayJwtAlgorithm: setting({
    variable: "GATEWAY_JWT_ALGORITHM",
    group: "Other systems' APIs",
    kind: choice({ hs256: "HS256", hs384: "HS384", hs512: "HS512" }),
    default: "HS512",
    meaning: "The one algorithm that those JWTs may be signed with: HS256, HS384 or HS512.",
  }),
  gatewayFiles: setting({
    variable: "GATEWAY_TEMPORARY_STORAGE",
    group: "Other systems' APIs",
    kind: text,
    default: "",
    defaultMeans: "vconductor-gateway in the system's directory for temporary files",
    meaning: "The directory of the gateway's temporary files, which all API processes share.",
  }),
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
export const faceUrls = [faceSettings.sisyphusUrl, faceSettings.porchUrl, faceSettings.gatewayUrl];

/** The address of its own that a face has, if it has one. */
export function addressOf(
  config: { readonly [Name in FaceName as `${Name}Url`]: ListenAddress | undefined },
  face: FaceName,
): ListenAddress | undefined {
  return { sisyphus: config.sisyphusUrl, porch: config.porchUrl, gateway: config.gatewayUrl }[face];
}
