/** Why a mail was not sent; reads on after the server's name. */
export interface DeliveryFailure {
  readonly text: string;
  /** Whether another try can mend it without sending the mail twice. */
  readonly again: boolean;
}

interface FailureOptions {
  readonly timeoutMs: number;
  /** Takes secrets out of a text. */
  readonly mask: (text: string) => string;
}

/** A provider's answer is shown to this length, in characters. */
const SHOWN = 500;

/** What Node and nodemailer call failures of the network that may pass. */
const passing = new Set([
  "ECONNECTION",
  "ETIMEDOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
]);

/** @param begun the mail was on its way when it failed */
export function failureOf(
  { error, begun }: { readonly error: unknown; readonly begun: boolean },
  { timeoutMs, mask }: FailureOptions,
): DeliveryFailure {
  const { response, code, cause, message } = factsOf(error);
  const unclear = begun ? "; whether it took the mail is not known" : "";
  if (code === "TimeoutError") {
    return { text: `gave no complete answer within ${timeoutMs / 1000} s${unclear}`, again: !begun };
  }
  if (code === "ETLS") return { text: `could not begin TLS: ${shown(message, mask)}`, again: false };
  if (response !== "") return { text: answered(response, mask), again: response.startsWith("4") };
  const again = !begun && (passing.has(code) || passing.has(cause)) && !isAboutTls(cause);
  return { text: `failed: ${shown(message, mask)}${hint(cause)}${begun ? unclear : ""}`, again };
}

/** The server's answer, to show it. @param recipient whom it was about */
export function answered(response: string, mask: FailureOptions["mask"], recipient?: string): string {
  const code = /^\d{3}/.exec(response)?.[0] ?? "";
  const text = shown(response.replaceAll(/^\d{3}[ -]?/gm, ""), mask);
  return `answered ${code}${recipient === undefined ? "" : ` for ${recipient}`}: ${text}`;
}

function shown(text: string, mask: FailureOptions["mask"]): string {
  // Masked first: a secret that is cut in two would not be found.
  return mask(text.replaceAll(/\s+/g, " ").trim()).slice(0, SHOWN) || "(nothing more)";
}

/** nodemailer puts its own code in `code`, and what was there before in `originalCode`. */
function factsOf(error: unknown) {
  if (!(error instanceof Error)) return { response: "", code: "", cause: "", message: String(error) };
  const text = (name: string): string => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === "string" ? value : "";
  };
  const code = error.name === "TimeoutError" ? error.name : text("code");
  return { response: text("response"), code, cause: text("originalCode"), message: error.message };
}

function isAboutTls(cause: string): boolean {
  return hint(cause) !== "" || cause.startsWith("ERR_TLS") || cause.startsWith("ERR_SSL");
}

function hint(cause: string): string {
  if (/SELF_SIGNED|UNABLE_TO/.test(cause)) {
    return " (a certificate of your own authority is accepted when tls_ca_pem names the authority)";
  }
  if (/WRONG_VERSION|PACKET_LENGTH/.test(cause)) {
    return " (the server does not begin with TLS on this port; 25 and 587 use STARTTLS: leave use_tls off)";
  }
  return "";
}
