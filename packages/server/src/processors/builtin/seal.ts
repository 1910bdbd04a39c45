import type { VconState } from "@vconductor/vcon";
import { builtinFilter } from "@vconductor/vcon/filters";
import { VconductorError } from "../../errors.ts";
import type { Processor, ProcessorExample } from "../define.ts";
import { fromFilter } from "../from-filter.ts";

/** Why a state will not do, in the reference's words where it has some; undefined when it will. */
type Refusal = (state: VconState) => string | undefined;

interface Wrapped {
  readonly example: ProcessorExample;
  /** Default: the filter says itself what it takes. */
  readonly refusal?: Refusal;
}

/** A filter of the library as a processor of the same name. */
export function filterProcessor(name: string, { example, refusal }: Wrapped): Processor {
  const filter = builtinFilter(name);
  if (filter === undefined) throw new Error(`the library has no filter ${name}`);
  const processor = fromFilter(filter);
  return {
    ...processor,
    example,
    process(io, options, context) {
      const state = io.state(options.input_vcon_index);
      const why = refusal?.(state);
      if (why !== undefined) {
        const text = `${why}  Current state: VconStates.${state.toUpperCase()}`;
        throw new VconductorError("invalid_vcon_state", text);
      }
      return processor.process(io, options, context);
    },
  };
}

const modifiable: Refusal = (state) =>
  state === "unsigned" || state === "verified"
    ? undefined
    : "Cannot modify Vcon unless current state is UNSIGNED.";

const signed: Refusal = (state) => {
  if (state === "unverified") return undefined;
  if (state === "signed") return "Vcon was locally signed. No need to verify.";
  return state === "verified" ? "Vcon is verified already." : "Vcon is not signed.";
};

const encryptable: Refusal = (state) =>
  state === "unsigned" || state === "encrypted"
    ? "Vcon must be signed before it can be encrypted."
    : undefined;

const encrypted: Refusal = (state) => (state === "encrypted" ? undefined : "Vcon is not encrypted.");

/** Signing, verifying, encrypting, decrypting and amending: filters of the library. */
export const sealProcessors: readonly Processor[] = [
  filterProcessor("create_amended", {
    example: {
      about: "Adds an amended copy, which later steps change with input_vcon_index 1.",
      options: {},
    },
  }),
  filterProcessor("decrypt", {
    refusal: encrypted,
    example: {
      about: "Decrypts with the key in the environment variable DECRYPTION_KEY.",
      options: { private_pem_key: "secret:DECRYPTION_KEY" },
    },
  }),
  filterProcessor("encrypt", {
    refusal: encryptable,
    example: {
      about: "Encrypts for the owner of the certificate in RECIPIENT_CERTIFICATE.",
      options: { public_pem_key: "secret:RECIPIENT_CERTIFICATE" },
    },
  }),
  filterProcessor("sign", {
    refusal: modifiable,
    example: {
      about: "Signs with a key and certificates that are in environment variables.",
      options: {
        private_pem_key: "secret:SIGNING_KEY",
        cert_chain_pems: ["secret:SIGNING_CERTIFICATE", "secret:INTERMEDIATE_CERTIFICATE"],
      },
    },
  }),
  filterProcessor("verify", {
    refusal: signed,
    example: {
      about: "Trusts what was signed with a certificate of the authority in CA_CERTIFICATE.",
      options: { allowed_ca_cert_pems: ["secret:CA_CERTIFICATE"] },
    },
  }),
];
