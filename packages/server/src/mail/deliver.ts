import { isIP } from "node:net";
import { Readable } from "node:stream";
import type SMTPConnection from "nodemailer/lib/smtp-connection";
import type { ComposedMail } from "./compose.ts";
import type { MailServer } from "./mail-server.ts";

export interface Delivery {
  readonly server: Pick<MailServer, "host" | "port" | "security" | "credentials">;
  /** Of the host, checked. */
  readonly address: string;
  readonly mail: ComposedMail;
  /** Those of the mail's recipients who get it this time. */
  readonly recipients: readonly string[];
  /** What to call this machine in the greeting. "" is its own name. */
  readonly clientHostname: string;
  /** The authority whose certificates are taken in place of the public ones. "" is none. */
  readonly caPem: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** One answer of the server that says no. */
export interface MailRefusal {
  readonly recipient: string;
  readonly response: string;
}

export type DeliveryResult =
  /** The server has the mail, for all but those it refused. */
  | { readonly taken: true; readonly refused: readonly MailRefusal[] }
  /** It refused every recipient. */
  | { readonly taken: false; readonly refused: readonly MailRefusal[] }
  | {
      readonly taken: false;
      readonly error: unknown;
      /** The mail was on its way when it failed: without an answer nobody knows whether it was taken. */
      readonly begun: boolean;
    };

/** Hands a mail over to a mail server, once. Rejects only when `signal` is aborted. */
export async function deliver(delivery: Delivery): Promise<DeliveryResult> {
  const { signal, timeoutMs } = delivery;
  const { default: Connection } = await import("nodemailer/lib/smtp-connection");
  signal.throwIfAborted();
  const connection = new Connection(connectionOptions(delivery));
  const stopped = Promise.withResolvers<never>();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  limit.addEventListener("abort", () => stopped.reject(limit.reason), { once: true });
  connection.on("error", stopped.reject);
  connection.once("end", () => stopped.reject(new Error("the connection was closed")));
  let begun = false;
  try {
    const converse = async (): Promise<DeliveryResult> => {
      await open(connection);
      if (delivery.server.credentials !== undefined) await signIn(connection, delivery.server.credentials);
      return { taken: true, refused: await send(connection, delivery, () => (begun = true)) };
    };
    return await Promise.race([stopped.promise, converse()]);
  } catch (error) {
    signal.throwIfAborted();
    const refused = error instanceof Error && "rejectedErrors" in error ? refusals(error.rejectedErrors) : [];
    return refused.length > 0 ? { taken: false, refused } : { taken: false, error, begun };
  } finally {
    connection.close();
  }
}

function connectionOptions({ server, address, clientHostname, caPem, timeoutMs }: Delivery) {
  const { host, port, security } = server;
  // The limit of the whole attempt comes before all of these.
  const patience = timeoutMs + 5000;
  return {
    host: address,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ...(clientHostname === "" ? {} : { name: clientHostname }),
    tls: { ...(isIP(host) === 0 ? { servername: host } : {}), ...(caPem === "" ? {} : { ca: caPem }) },
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
    maxResponseSize: 64 * 1024,
  };
}

function open(connection: SMTPConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
}

function signIn(
  connection: SMTPConnection,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.login({ user, pass: password }, (error) => (error ? reject(error) : resolve()));
  });
}

function send(
  connection: SMTPConnection,
  { mail, recipients }: Delivery,
  onBegin: () => void,
): Promise<readonly MailRefusal[]> {
  // It is read only once the server has asked for it.
  const stream = Readable.from(
    (function* () {
      onBegin();
      yield mail.bytes;
    })(),
  );
  const envelope = { from: mail.sender, to: [...recipients], size: mail.bytes.length };
  return new Promise((resolve, reject) => {
    connection.send(envelope, stream, (error, info) => {
      if (error) return reject(error);
      connection.quit();
      resolve(refusals(info.rejectedErrors));
    });
  });
}

function refusals(errors: unknown): readonly MailRefusal[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((error: unknown) => {
    if (!(error instanceof Error) || !("recipient" in error)) return [];
    const response = "response" in error ? String(error.response) : error.message;
    return [{ recipient: String(error.recipient), response }];
  });
}
