import { ownRules } from "../../http/face.ts";

/** Of routes that only read: HEAD is answered as GET is, as the CANARIE document asks for. */
export function readOptions() {
  return { schema: { ...ownRules }, exposeHeadRoute: true };
}
