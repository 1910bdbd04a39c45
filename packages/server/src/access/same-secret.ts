import { createHash, timingSafeEqual } from "node:crypto";

/** Whether two texts are the same, in a time that tells nothing of how much of them is, nor how long they are. */
export function sameSecret(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => createHash("sha256").update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
