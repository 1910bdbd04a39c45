import { X509Certificate } from "node:crypto";
import { lookup } from "node:dns/promises";
import { VconductorError } from "../errors.ts";
import type { ProcessorContext } from "../processors/define.ts";

/** How a connection becomes private: TLS from the start, STARTTLS or nothing, or STARTTLS where the server offers it. */
export type MailSecurity = "tls" | "starttls" | "offered";

export interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly security: MailSecurity;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  /** Whether the operator chose it: then it may be on the server's own network. */
  readonly trusted: boolean;
}

/** As the options of `send_email` say it; "" and 0 are "not said". */
export interface MailServerOptions {
  readonly smtp_host: string;
  readonly smtp_port: number;
  readonly smtp_user: string;
  readonly smtp_password: string;
  readonly use_tls: boolean;
}

/** Where mail servers listen. */
const mailPorts: readonly number[] = [25, 465, 587];

/**
 * The mail server to use. What the operator set for SMTP_HOST is used with that host only, on its port or one where mail
 * servers listen: whoever writes a pipeline must not be able to send the operator's password anywhere else, nor to
 * look for other services on that host.
 *
 * @throws invalid_options there is no host, or half of the credentials
 */
export function chooseMailServer(
  options: MailServerOptions,
  context: Pick<ProcessorContext, "setting" | "secret">,
): MailServer {
  const operators = context.setting("SMTP_HOST") ?? "";
  const host = options.smtp_host.trim() || operators;
  if (host === "") throw bad("no mail server: set the option smtp_host, or SMTP_HOST for all pipelines");
  const isOperators = host.toLowerCase() === operators.toLowerCase();
  const set = isOperators ? Number(context.setting("SMTP_PORT") ?? 0) : 0;
  const chosen = options.smtp_port > 0 ? options.smtp_port : set;
  const trusted = isOperators && (chosen <= 0 || chosen === set || mailPorts.includes(chosen));
  const credentials = credentialsOf(options, trusted ? context : undefined);
  const port = chosen > 0 ? chosen : options.use_tls || credentials !== undefined ? 465 : 25;
  return {
    host,
    port,
    security: securityOf(port, options.use_tls, credentials !== undefined),
    credentials,
    trusted,
  };
}

/** Passwords never travel in the clear. Ports 25 and 587 begin in the clear by definition (RFC 5321, RFC 6409). */
function securityOf(port: number, useTls: boolean, signsIn: boolean): MailSecurity {
  if (useTls || port === 465) return "tls";
  if (!signsIn) return "offered";
  return port === 25 || port === 587 ? "starttls" : "tls";
}

function credentialsOf(
  { smtp_user, smtp_password }: MailServerOptions,
  operator: Pick<ProcessorContext, "setting" | "secret"> | undefined,
): MailServer["credentials"] {
  const own = smtp_user === "" && smtp_password === "";
  const user = own ? (operator?.setting("SMTP_USER") ?? "") : smtp_user;
  const password = own && user !== "" ? (operator?.secret("SMTP_PASSWORD") ?? "") : smtp_password;
  if (user === "" && password === "") return undefined;
  if (user !== "" && password !== "") return { user, password };
  const names = own ? "SMTP_USER and SMTP_PASSWORD" : "smtp_user and smtp_password";
  throw bad(`${names} go together: only the ${user === "" ? "password" : "user"} is set`);
}

/**
 * The address to connect to.
 *
 * @throws fetch_refused it is not public, the operator did not choose it, and FETCH_ALLOW does not name it
 * @throws provider_failed no such host
 */
export async function mailServerAddress(
  { host, port, trusted }: MailServer,
  context: Pick<ProcessorContext, "address">,
): Promise<string> {
  if (!trusted) return context.address(host, port);
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VconductorError("provider_failed", `smtp ${host} was not found: ${why}`, { cause });
  }
}

/** @param pem certificates; "" is none @throws invalid_options they cannot be read */
export function checkAuthority(pem: string): void {
  try {
    if (pem !== "") new X509Certificate(pem);
  } catch (cause) {
    const text = "tls_ca_pem: no certificate; it is a text with -----BEGIN CERTIFICATE----- in it";
    throw new VconductorError("invalid_options", text, { cause });
  }
}

function bad(what: string): VconductorError {
  return new VconductorError("invalid_options", what);
}
