import type { Ajv, ValidateFunction } from "ajv";
import { VconError } from "../document/errors.ts";
import type { AnyFilter } from "./define-filter.ts";

let ajv: Ajv | undefined;
const compiled = new WeakMap<object, ValidateFunction>();

/**
 * The options of a filter, checked against its schema, with defaults filled in. The options given are not touched.
 *
 * @throws VconError invalid_option names every option that is wrong
 */
export async function checkOptions(filter: AnyFilter, options: object): Promise<object> {
  const validate = compiled.get(filter.options) ?? (await compile(filter));
  const checked = structuredClone(options);
  if (validate(checked)) return checked;
  const findings = (validate.errors ?? []).map(({ instancePath, message = "is wrong", params }) => {
    const path = instancePath.split("/").slice(1);
    return {
      path,
      message: "allowedValues" in params ? `${message}: ${params.allowedValues.join(", ")}` : message,
    };
  });
  const text = findings.map(({ path, message }) => `${path.join(".") || "options"} ${message}`).join("; ");
  throw new VconError("invalid_option", `Options of ${filter.name}: ${text}.`, { findings });
}

async function compile({ options }: AnyFilter): Promise<ValidateFunction> {
  const { Ajv } = await import("ajv");
  ajv ??= new Ajv({ allErrors: true, useDefaults: true, strict: false });
  const validate = ajv.compile(options);
  compiled.set(options, validate);
  return validate;
}
