/**
 * A look-up whose answers are given again for a while: for what takes long, and may be asked by everybody. Who asks while it
 * is being looked up waits for that answer. Failures are not kept.
 *
 * @param options.now in milliseconds; tests have their own
 */
export function forAWhile<Result>(
  look: (name: string) => Promise<Result>,
  { ms, now = () => performance.now() }: { readonly ms: number; readonly now?: () => number },
): (name: string) => Promise<Result> {
  const known = new Map<string, { readonly at: number; readonly found: Promise<Result> }>();
  return async (name) => {
    const last = known.get(name);
    if (last !== undefined && now() - last.at < ms) return await last.found;
    const entry = { at: now(), found: look(name) };
    known.set(name, entry);
    try {
      return await entry.found;
    } catch (error) {
      if (known.get(name) === entry) known.delete(name);
      throw error;
    }
  };
}
