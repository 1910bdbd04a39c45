import { makeTestCertificates } from "@vconductor/vcon/security";
import { afterEach, describe, expect, it } from "vitest";
import { deliver } from "../../../src/mail/deliver.ts";
import { SmtpDouble } from "../../doubles/smtp-server.ts";
import { rejected } from "../thrown.ts";
import { sendThrough } from "./send-through.ts";

const open = await SmtpDouble.start();
const account = { user: "calls", password: "correct horse" };
const { ca, intermediate, leaf } = await makeTestCertificates({ name: "localhost", keyType: "EC" });
const tls = { key: leaf.key, cert: leaf.certificate + intermediate.certificate };
afterEach(() => open.reset());

describe("TLS and signing in", () => {
  const own = { tls_ca_pem: ca.certificate };
  const login = { smtp_user: account.user, smtp_password: account.password };

  it("signs in over TLS from the start", async () => {
    const server = await SmtpDouble.start({ account, tls, secure: true, host: "localhost" });
    await sendThrough(server, { ...login, ...own }, { env: { FETCH_ALLOW: "localhost" } });
    expect(server.received[0]).toMatchObject({ user: "calls", secure: true });
  });

  it("never shows the password, in whatever form the server quotes it", async () => {
    const server = await SmtpDouble.start({ account, tls, secure: true, host: "localhost" });
    const wrong = "wrong horse battery";
    const error = await rejected(
      sendThrough(
        server,
        { ...own, smtp_user: "calls", smtp_password: "secret:MAIL_PASSWORD" },
        { env: { FETCH_ALLOW: "localhost", MAIL_PASSWORD: wrong } },
      ),
    );
    expect(error).toMatchObject({
      code: "provider_failed",
      message: "smtp localhost answered 535: 5.7.8 authentication failed for ******** (AUTH PLAIN ********)",
    });
    expect(server.connections).toBe(1);
  });

  it("sends no password in the clear", async () => {
    const error = await rejected(sendThrough(open, login));
    expect(error.message).toContain("does not begin with TLS on this port");
    expect(open.received).toEqual([]);
  });

  it("takes STARTTLS where it is offered, without any option", async () => {
    const server = await SmtpDouble.start({ tls, host: "localhost" });
    await sendThrough(server, { ...own }, { env: { FETCH_ALLOW: "localhost" } });
    expect(server.received[0]?.secure).toBe(true);
  });

  it("does not trust a certificate of an unknown authority, nor one for another host", async () => {
    const server = await SmtpDouble.start({ tls, secure: true, host: "localhost" });
    const env = { FETCH_ALLOW: `localhost,127.0.0.1` };
    const unknown = await rejected(sendThrough(server, { use_tls: true }, { env }));
    expect(unknown.message).toContain("tls_ca_pem");
    const other = await SmtpDouble.start({ tls, secure: true });
    const mismatch = await rejected(sendThrough(other, { ...own, use_tls: true }, { env }));
    expect(mismatch.message).toContain("127.0.0.1");
    expect([...server.received, ...other.received]).toEqual([]);
    expect(other.connections).toBeLessThan(2);
  });

  it("insists on STARTTLS where it must, before it signs in", async () => {
    const server = await SmtpDouble.start({ account, tls, host: "localhost" });
    const delivery = {
      mail: { bytes: Buffer.from("Subject: x\r\n\r\nx"), sender: "a@x.example", recipients: ["b@x.example"] },
      recipients: ["b@x.example"],
      clientHostname: "",
      caPem: ca.certificate,
      timeoutMs: 10_000,
      signal: new AbortController().signal,
    };
    const through = (double: SmtpDouble, host: string) => {
      const to = { host, port: double.port, security: "starttls", credentials: account } as const;
      return deliver({ ...delivery, server: to, address: host });
    };
    expect(await through(server, "localhost")).toEqual({ taken: true, refused: [] });
    expect(server.received[0]).toMatchObject({ user: "calls", secure: true });
    const refused = await through(open, "127.0.0.1");
    expect(refused).toMatchObject({ taken: false, error: { code: "ETLS" }, begun: false });
    expect(open.received).toEqual([]);
  });

  it("wants an authority that can be read", async () => {
    const error = await rejected(sendThrough(open, { tls_ca_pem: "not a certificate" }));
    expect(error.code).toBe("invalid_options");
    expect(error.message).toContain("tls_ca_pem");
    expect(open.connections).toBe(0);
  });
});
