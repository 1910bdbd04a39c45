import type { FaceName } from "../config/face-settings.ts";
import type { Face } from "../http/face.ts";

/** Each is loaded only where it is served. */
const faces: Readonly<Record<FaceName, () => Promise<Face>>> = {
  sisyphus: async () => (await import("./sisyphus/index.ts")).sisyphus,
  gateway: async () => (await import("./gateway/index.ts")).gateway,
  porch: async () => (await import("./porch/index.ts")).porch,
};

export function loadFace(name: FaceName): Promise<Face> {
  return faces[name]();
}
