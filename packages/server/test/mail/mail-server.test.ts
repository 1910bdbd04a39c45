import { describe, expect, it } from "vitest";
import { chooseMailServer } from "../../src/mail/mail-server.ts";

describe("choice of the server", () => {
  const none = { smtp_host: "", smtp_port: 0, smtp_user: "", smtp_password: "", use_tls: false };
  const settings = {
    SMTP_HOST: "mail.internal",
    SMTP_PORT: "2525",
    SMTP_USER: "server",
    SMTP_PASSWORD: "hush",
  };
  const choose = (options: object, env: Readonly<Record<string, string>> = {}) =>
    chooseMailServer({ ...none, ...options }, { setting: (name) => env[name], secret: (name) => env[name] });
  const login = { smtp_user: "u", smtp_password: "p" };

  it.each([
    [{}, 25, "offered"],
    [{ smtp_port: -1 }, 25, "offered"],
    [{ use_tls: true }, 465, "tls"],
    [login, 465, "tls"],
    [{ smtp_port: 465 }, 465, "tls"],
    [{ ...login, smtp_port: 587 }, 587, "starttls"],
    [{ ...login, smtp_port: 25 }, 25, "starttls"],
    [{ ...login, smtp_port: 2525 }, 2525, "tls"],
    [{ smtp_port: 587 }, 587, "offered"],
    [{ smtp_port: 587, use_tls: true }, 587, "tls"],
  ])("with %j is port %i, TLS %s", (options, port, security) => {
    expect(choose({ smtp_host: "mail.example", ...options })).toMatchObject({
      port,
      security,
      trusted: false,
    });
  });

  it("takes what the operator set for the operator's server only", () => {
    const credentials = { user: "server", password: "hush" };
    expect(choose({}, settings)).toMatchObject({
      host: "mail.internal",
      port: 2525,
      credentials,
      trusted: true,
    });
    expect(choose({ smtp_host: "MAIL.internal", smtp_port: 587 }, settings)).toMatchObject({
      credentials,
      trusted: true,
    });
    expect(choose(login, settings).credentials).toEqual({ user: "u", password: "p" });
    for (const options of [{ smtp_host: "evil.example" }, { smtp_port: 6379 }]) {
      expect(choose(options, settings)).toMatchObject({ credentials: undefined, trusted: false });
    }
  });
});
