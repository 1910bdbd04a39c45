import { once } from "node:events";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerError, type SMTPServerOptions } from "smtp-server";
import { afterAll, expect, onTestFinished } from "vitest";

export interface SmtpDoubleOptions {
  /** Default: none; who signs in must then be refused. */
  readonly account?: { readonly user: string; readonly password: string };
  /** PEM. Default: STARTTLS is not offered. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** TLS from the start. Default: false */
  readonly secure?: boolean;
  /** Where to listen. Default: 127.0.0.1 */
  readonly host?: string;
  /** Asked before every answer to these: a refusal ("550 no such user"), "hang" for no answer at all, "hang up", or undefined. */
  readonly trouble?: (event: SmtpEvent) => string | undefined;
}

export interface SmtpEvent {
  readonly at: "connect" | "recipient" | "data";
  /** Which connection it is, from 1. */
  readonly connection: number;
  /** At "recipient": who. */
  readonly address?: string;
}

/** A mail as it came in. */
export interface ReceivedMail {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly raw: string;
  readonly mail: Email;
  /** Who had signed in. */
  readonly user: string | undefined;
  readonly secure: boolean;
  /** What the client called itself. */
  readonly greeting: string;
}

/** A real SMTP server on this machine; ended after the test, or the tests of the file. */
export class SmtpDouble {
  readonly received: ReceivedMail[] = [];
  /** How many connections there were. */
  connections = 0;
  readonly #server: SMTPServer;
  readonly #host: string;
  #trouble: SmtpDoubleOptions["trouble"];
  #hung = Promise.withResolvers<void>();

  private constructor({ account, tls, secure = false, host = "127.0.0.1", trouble }: SmtpDoubleOptions) {
    this.#host = host;
    this.#trouble = trouble;
    const options: SMTPServerOptions = {
      secure,
      ...tls,
      disabledCommands: tls === undefined ? ["STARTTLS"] : [],
      authOptional: account === undefined,
      disableReverseLookup: true,
      logger: false,
      onConnect: (_, done) => {
        this.connections += 1;
        this.#answer({ at: "connect" }, done);
      },
      onAuth: ({ username, password }, _, done) => {
        const known = account !== undefined && username === account.user && password === account.password;
        // Some servers quote what they were sent; that must not come out anywhere.
        const quoted = Buffer.from(`\0${username}\0${password}`).toString("base64");
        if (known) done(null, { user: username });
        else done(refusal(`535 5.7.8 authentication failed for ${password} (AUTH PLAIN ${quoted})`));
      },
      onRcptTo: ({ address }, _, done) => this.#answer({ at: "recipient", address }, done),
      onData: (stream, session, done) => {
        const parts: Buffer[] = [];
        stream.on("data", (part: Buffer) => parts.push(part));
        stream.on("end", () => {
          const take = async () => {
            const raw = Buffer.concat(parts).toString();
            const { mailFrom, rcptTo } = session.envelope;
            this.received.push({
              sender: mailFrom === false ? "" : mailFrom.address,
              recipients: rcptTo.map(({ address }) => address),
              raw,
              mail: await PostalMime.parse(raw),
              user: session.user,
              secure: session.secure,
              greeting: session.hostNameAppearsAs,
            });
          };
          this.#answer({ at: "data" }, (error) => (error ? done(error) : take().then(() => done(), done)));
        });
      },
    };
    this.#server = new SMTPServer(options);
    // A client that breaks off, or does not like the certificate, is no failure of the double.
    this.#server.on("error", () => {});
  }

  static async start(options: SmtpDoubleOptions = {}): Promise<SmtpDouble> {
    const double = new SmtpDouble(options);
    const listening = double.#server.listen(0, double.#host);
    await once(listening, "listening");
    if (expect.getState().currentTestName === undefined) afterAll(() => double.stop());
    else onTestFinished(() => double.stop());
    return double;
  }

  get port(): number {
    const address = this.#server.server.address();
    if (typeof address !== "object" || address === null) throw new Error("the double is not listening");
    return address.port;
  }

  /** The options of `send_email` that lead here. */
  get options() {
    return { smtp_host: this.#host, smtp_port: this.port };
  }

  /** For FETCH_ALLOW. */
  get allow(): string {
    return `${this.#host}:${this.port}`;
  }

  /** What goes wrong from now on. */
  set trouble(trouble: SmtpDoubleOptions["trouble"]) {
    this.#trouble = trouble;
  }

  /** Resolves once a client was left without an answer. */
  hung(): Promise<void> {
    return this.#hung.promise;
  }

  reset(): void {
    this.received.length = 0;
    this.connections = 0;
    this.#trouble = undefined;
    this.#hung = Promise.withResolvers();
  }

  async stop(): Promise<void> {
    for (const connection of this.#server.connections) connection.close();
    if (this.#server.server.listening) await new Promise<void>((done) => this.#server.close(done));
  }

  #answer(event: Omit<SmtpEvent, "connection">, done: (error?: Error | null) => void): void {
    const trouble = this.#trouble?.({ ...event, connection: this.connections });
    if (trouble === undefined) done();
    else if (trouble === "hang") this.#hung.resolve();
    else if (trouble !== "hang up") done(refusal(trouble));
    else for (const connection of this.#server.connections) connection.close();
  }
}

function refusal(answer: string): SMTPServerError {
  return Object.assign(new Error(answer.slice(4)), { responseCode: Number(answer.slice(0, 3)) });
}
