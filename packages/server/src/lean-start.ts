import { enableCompileCache, getCompileCacheDir } from "node:module";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Keeps a process small while it starts. Compiled modules are cached beside the installed packages, so that a
 * later start neither strips types nor compiles again. And loading modules makes much short-lived garbage, for
 * which V8 would grow its young generation to a size that an idle server then keeps.
 */
export function beginLean(): void {
  enableCompileCache(fileURLToPath(new URL("../../../node_modules/.cache/vconductor", import.meta.url)));
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** Gives back what only the start needed. From now on memory may grow with the load as usual. */
export function endLean(): void {
  setFlagsFromString("--expose-gc");
  // Also what V8 would keep for a while, such as compiled code that was run once.
  runInNewContext("gc")({ type: "major", flavor: "last-resort" });
  setFlagsFromString("--no-expose-gc");
  setFlagsFromString("--semi-space-growth-factor=2");
}

/** For child processes that run our modules: the same from their first moment on. */
export function leanChild(): { readonly execArgv: string[]; readonly env: NodeJS.ProcessEnv } {
  const cache = getCompileCacheDir();
  return {
    execArgv: ["--semi-space-growth-factor=1", "--disable-warning=ExperimentalWarning"],
    env: { ...process.env, ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }) },
  };
}
