import { VconError } from "../document/errors.ts";
import type { Fetch } from "../document/fetch.ts";
import type { ReadableDocument, VconDocument, VconState } from "../document/states.ts";
import { withContent } from "../document/states.ts";
import type { JsonObject, JsonValue, Vcon } from "../document/types.ts";

/** What a filter may use beside its input; the host gives it. */
export interface FilterContext {
  /** For the uuids of new vCons, for example "support.example.com". */
  readonly domain: string;
  /** Every output of a jq program. @throws VconError invalid_query, or an error of the host's */
  jq(program: string, input: JsonValue): Promise<readonly JsonValue[]>;
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch;
  readonly signal?: AbortSignal;
}

interface FilterFields {
  /** What pipelines and the command call it, for example "tag". */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Of the filter, as semantic versioning has it. */
  readonly version: string;
  /** JSON Schema of the options: it checks them, documents them and draws their form. */
  readonly options: object;
}

/**
 * A pure operation on the content of one vCon. It needs no server: the same filter runs from the library, the `vcon`
 * command and, as a processor, in a pipeline.
 */
export interface VconFilter<Options extends object = JsonObject> extends FilterFields {
  /**
   * Gives the changed vCon, or the one it was given when there is nothing to do; never changes its input.
   *
   * @param vcon in the newest version
   * @param options checked against the schema, with its defaults filled in
   */
  apply(vcon: Vcon, options: Options, context: FilterContext): Vcon | Promise<Vcon>;
}

/** An operation that changes the state of a vCon: signs, verifies, encrypts, decrypts it. */
export interface SealFilter<Options extends object = JsonObject> extends FilterFields {
  /** The states that it takes. */
  readonly accepts: readonly VconState[];
  applyToDocument(document: VconDocument, options: Options, context: FilterContext): Promise<VconDocument>;
}

export type AnyFilter = VconFilter<object> | SealFilter<object>;

/** Declares a filter; gives back what it gets, with its types checked. */
export function defineFilter<Options extends object>(filter: VconFilter<Options>): VconFilter<Options> {
  return filter;
}

export function defineSealFilter<Options extends object>(filter: SealFilter<Options>): SealFilter<Options> {
  return filter;
}

/**
 * Runs a filter on a document in whatever state.
 *
 * @param options checked already
 * @throws VconError invalid_state the filter does not take a document in this state
 */
export async function applyFilter(
  filter: AnyFilter,
  document: VconDocument,
  { options, context }: { readonly options: object; readonly context: FilterContext },
): Promise<VconDocument> {
  if ("applyToDocument" in filter) {
    requireState(filter.name, document.state, filter.accepts);
    return filter.applyToDocument(document, options, context);
  }
  if (!isReadable(document)) throw wrongState(filter.name, document.state, ["unsigned", "verified"]);
  const vcon = await filter.apply(document.vcon, options, context);
  return vcon === document.vcon ? document : withContent(document, vcon);
}

function isReadable(document: VconDocument): document is ReadableDocument {
  return document.state === "unsigned" || document.state === "verified";
}

function requireState(name: string, state: VconState, accepted: readonly VconState[]): void {
  if (!accepted.includes(state)) throw wrongState(name, state, accepted);
}

/** What to do about a state, for the one who got the error. */
const hints: Partial<Record<VconState, string>> = {
  unsigned: "Sign it first.",
  unverified: "Verify it first.",
  signed: "It is signed: a change would break the signature.",
  encrypted: "Decrypt it first.",
};

function wrongState(name: string, state: VconState, accepted: readonly VconState[]): VconError {
  const message = `${name} needs a vCon that is ${accepted.join(" or ")}; this one is ${state}. ${hints[state] ?? ""}`;
  return new VconError("invalid_state", message.trim());
}
