import { type Attachment, formatDate, type JsonObject, type Vcon } from "@vconductor/vcon";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { choice } from "../choice.ts";
import { defineProcessor } from "../define.ts";
import { isJsonObject } from "../json.ts";

const purpose = "scitt_statement";

/** What can be stated: the events of the vCon lifecycle draft. */
const events = [
  "vcon_created",
  "vcon_enhanced",
  "vcon_sent",
  "vcon_received",
  "vcon_consent_accepted",
  "vcon_consent_revoked",
  "vcon_party_redacted",
  "vcon_deleted",
  "vcon_expired",
  "vcon_rcvr_purged",
] as const;

export const scitt = defineProcessor({
  name: "scitt",
  title: "Sign a statement",
  description:
    "Signs a statement (COSE, SCITT) that this vCon had this content at an event of its life, and registers it with a " +
    "transparency service, if one is named. The statement holds a SHA-256 of the vCon's canonical JSON, without such " +
    "statements. It becomes an attachment of purpose scitt_statement; of signed and encrypted vCons only a parameter. A " +
    "receipt of the service is kept in the statement; whether it is right takes the service's key to find out.",
  version: "1.0.0",
  options: Type.Object({
    private_pem_key: Type.String({
      title: "private key",
      description: "PEM text of the key that signs: P-256, P-384, Ed25519 or RSA.",
      minLength: 1,
      writeOnly: true,
    }),
    certificate_chain_pems: Type.Array(Type.String(), {
      title: "certificates",
      description: "PEM texts, the signer's first. Empty: only an id of the key is in the statement.",
      default: [],
      reference: true,
    }),
    issuer: Type.String({
      title: "issuer",
      description: "Who states it, for example https://calls.example.com",
      minLength: 1,
    }),
    event: choice(events, {
      title: "event",
      description: "What happened to the vCon.",
      default: "vcon_created",
    }),
    service_url: Type.String({
      title: "transparency service",
      description: "Its address, without /entries. Empty: the statement is not registered.",
      default: "",
    }),
    service_token: Type.String({
      title: "token",
      description: "For the service.",
      default: "",
      writeOnly: true,
    }),
    wait_seconds: Type.Number({
      title: "wait",
      description: "How long to wait for a receipt that does not come at once, in seconds.",
      minimum: 0,
      maximum: 3600,
      default: 30,
    }),
    set_parameter: Type.String({
      title: "parameter",
      description: "Gets the statement in base64url. Empty: none.",
      default: "",
    }),
  }),
  example: {
    about: "States, with the key in SCITT_KEY, that the vCon was created so.",
    options: { private_pem_key: "secret:SCITT_KEY", issuer: "https://calls.example.com" },
  },
  async process(io, options, context) {
    const index = options.input_vcon_index;
    const sealed = io.form(index) !== "unsigned";
    const vcon = sealed ? undefined : io.peekVcon(index);
    const document = vcon === undefined ? io.peek(index) : withoutStatements(vcon);
    const { makeStatement, statementHash } = await import("../../scitt/statement.ts");
    const hash = Buffer.from(statementHash(document)).toString("base64url");
    const known = vcon?.attachments?.find((attachment) => isSame(attachment, { hash, options }));
    const statement = known === undefined ? makeStatement(statementOptions()) : undefined;
    const whole =
      statement === undefined || options.service_url === "" ? statement : await registered(statement);
    const body = whole === undefined ? String(known?.body) : Buffer.from(whole).toString("base64url");
    if (vcon !== undefined && whole !== undefined) io.update(withStatement(vcon, { body, hash, options }));
    if (options.set_parameter !== "") io.parameters.set(options.set_parameter, body);
    return io;

    function statementOptions() {
      const { issuer, event, private_pem_key: key, certificate_chain_pems: certificates } = options;
      return { uuid: io.uuid(index), document, issuer, event, key, certificates };
    }

    async function registered(made: Uint8Array) {
      const { service_url: url, service_token: token, wait_seconds } = options;
      if (!URL.canParse(url))
        throw new VconductorError("invalid_options", `service_url: ${url} is not a URL`);
      const { register } = await import("../../scitt/register.ts");
      return await register(context, { url, token, statement: made, waitMs: wait_seconds * 1000 });
    }
  },
});

interface Stated {
  readonly hash: string;
  readonly options: { readonly event: string; readonly issuer: string; readonly service_url: string };
}

/** What a statement is about: the same before and after it was added. */
function withoutStatements(vcon: Vcon): JsonObject {
  const attachments = (vcon.attachments ?? []).filter((attachment) => attachment.purpose !== purpose);
  const { attachments: _, ...rest } = vcon;
  return attachments.length === 0 ? rest : { ...rest, attachments };
}

function isSame(attachment: Attachment, { hash, options }: Stated): boolean {
  const { purpose: given, meta } = attachment;
  if (given !== purpose || !isJsonObject(meta)) return false;
  const { event, issuer, service_url: service } = options;
  return meta.hash === hash && meta.event === event && meta.issuer === issuer && meta.service === service;
}

function withStatement(vcon: Vcon, { body, hash, options }: Stated & { readonly body: string }): Vcon {
  const { event, issuer, service_url: service } = options;
  const attachment: Attachment = {
    purpose,
    start: formatDate(Date.now()),
    ...(vcon.parties?.length ? { party: 0 } : {}),
    ...(vcon.dialog?.length ? { dialog: 0 } : {}),
    mediatype: "application/cose",
    encoding: "base64url",
    body,
    // What it says, for those who do not read COSE.
    meta: { event, issuer, hash, service },
  };
  return { ...vcon, attachments: [...(vcon.attachments ?? []), attachment] };
}
