import { VconductorError } from "../../src/errors.ts";

/** The VconductorError that `act` throws; fails the test when it throws none. */
export function thrown(act: () => unknown): VconductorError {
  try {
    act();
  } catch (error) {
    if (error instanceof VconductorError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The VconductorError that `promise` rejects with. */
export async function rejected(promise: Promise<unknown>): Promise<VconductorError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof VconductorError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
