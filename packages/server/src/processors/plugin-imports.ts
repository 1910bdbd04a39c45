import { registerHooks } from "node:module";

/** The packages that the server lends to plugins which do not have them themselves. */
const lent = /^@vconductor\/(?:server\/plugin|vcon)(?:$|[/-])/;
let lending = false;

/**
 * Lets modules anywhere import `@vconductor/server/plugin` and `@vconductor/vcon`: a plugin that is a single file in
 * some directory has no node_modules to find them in. One that has its own copy gets that.
 */
export function lendPackages(): void {
  if (lending) return;
  lending = true;
  registerHooks({
    resolve(specifier, context, next) {
      if (!lent.test(specifier)) return next(specifier, context);
      try {
        return next(specifier, context);
      } catch {
        return next(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
}
