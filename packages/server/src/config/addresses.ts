import { resolve } from "node:path";
import { InvalidValue, type Kind } from "./setting.ts";

const embedded = "embedded:";

/**
 * The URL of a database. `embedded:DIR` comes out with an absolute directory, so that two settings that mean the
 * same database have the same text.
 */
export const databaseUrl: Kind<string> = {
  label: "a database URL: embedded:DIRECTORY or postgres://user:password@host:port/database",
  mask: maskSecrets,
  plain: maskSecrets,
  parse(text, { directory, schemes }) {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
    const known = schemes.map((name) => `${name}:`).join(", ");
    if (scheme === undefined) throw new InvalidValue(`must be a URL that begins with one of ${known}`);
    if (!schemes.includes(scheme)) {
      const hint = /^rediss?$/.test(scheme) ? "; vConductor stores in PostgreSQL, not in Redis" : "";
      throw new InvalidValue(`has the unknown scheme ${scheme}: (known: ${known.slice(0, -1)}:)${hint}`);
    }
    if (scheme === "embedded") {
      const path = text.slice(embedded.length);
      if (path.trim() === "") throw new InvalidValue("must name a directory: embedded:DIRECTORY");
      return `${embedded}${resolve(directory, path)}`;
    }
    if (/^postgres(ql)?$/.test(scheme) && !(/^[a-z]+:\/\//i.test(text) && URL.canParse(text))) {
      throw new InvalidValue(
        "must look like postgres://user:password@host:port/database (write special characters in a password as %XX)",
      );
    }
    return text;
  },
};

/** Parameters whose values are shown: whatever else a driver takes may be a secret, or hold one. */
const harmless = new Set([
  ...["host", "port", "user", "dbname", "sslmode", "application_name", "connect_timeout"],
  ...["target_session_attrs", "api-version"],
]);

/** Hides all of a URL that may be secret, also of one that does not parse. */
function maskSecrets(text: string): string {
  return text
    .replace(/(:\/\/[^:@/?#]*):.*@/s, "$1:***@")
    .replace(/#.*$/s, "#***")
    .replace(/\?.*$/s, (query) => `?${query.slice(1).split("&").map(maskParameter).join("&")}`);
}

/** @param parameter `name=value`; the name as whoever reads the URL decodes it is what counts */
function maskParameter(parameter: string): string {
  const [name = ""] = new URLSearchParams(parameter).keys();
  if (harmless.has(name) && /^[^=]*=[\w.,:/%+-]*$/.test(parameter)) return parameter;
  const end = parameter.indexOf("=");
  return end < 0 ? "***" : `${parameter.slice(0, end)}=***`;
}

/** Where the server listens, and how it is called. */
export interface ListenAddress {
  /** The address without a slash at its end: `http://localhost:8000`. */
  readonly url: string;
  readonly protocol: "http" | "https";
  /** A host name or IP address to bind to; IPv6 without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Only this machine can reach it. */
  readonly loopback: boolean;
}

/** Whether a host name or address, IPv6 without brackets, is this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

export const listenAddress: Kind<ListenAddress> = {
  label: "an http:// or https:// address of scheme, host and port",
  mask: maskSecrets,
  plain: (address) => address.url,
  parse(text) {
    if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
      throw new InvalidValue("must look like http://localhost:8000 (scheme http or https, host, port)");
    }
    const url = new URL(text);
    if (
      url.username !== "" ||
      url.password !== "" ||
      url.pathname !== "/" ||
      url.search !== "" ||
      url.hash !== ""
    ) {
      throw new InvalidValue("must have a scheme, a host and a port, and nothing else");
    }
    const protocol = url.protocol === "https:" ? "https" : "http";
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const usualPort = protocol === "https" ? 443 : 80;
    return {
      url: url.origin,
      protocol,
      host,
      port: url.port === "" ? usualPort : Number(url.port),
      loopback: isLoopback(host),
    };
  },
};

/** The origin of a web page, or `*` for every one. */
export const webOrigin: Kind<string> = {
  label: "an origin",
  plain: (origin) => origin,
  parse(text) {
    if (text === "*") return text;
    const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
    if (
      url === undefined ||
      !["", "/"].includes(url.pathname + url.search + url.hash) ||
      url.username !== ""
    ) {
      throw new InvalidValue(
        `must be * or origins like https://console.example.com:8443, which "${text}" is not`,
      );
    }
    return url.origin;
  },
};

/** `host` or `host:port`, in lower case; IPv6 in brackets. */
export const hostAndPort: Kind<string> = {
  label: "a host or host:port",
  plain: (host) => host,
  parse(text) {
    const match = /^(?:\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(?::(\d{1,5}))?$/i.exec(text);
    const valid = match !== null && Number(match[1] ?? 0) <= 65535 && URL.canParse(`http://${text}`);
    if (!valid) throw new InvalidValue(`must list hosts as name or name:port, which "${text}" is not`);
    return text.toLowerCase();
  },
};

/** The address of a service, without a slash at its end. */
export const absoluteUrl: Kind<string> = {
  label: "an http:// or https:// address",
  mask: maskSecrets,
  plain: maskSecrets,
  parse(text) {
    const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
    if (url === null) throw new InvalidValue("must look like https://api.example.com/v1");
    if (url.username !== "" || url.password !== "")
      throw new InvalidValue("must not hold a user or password");
    return text.replace(/\/+$/, "");
  },
};
