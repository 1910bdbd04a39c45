import { VconductorError } from "../errors.ts";

/** An address with the name to show; "" is no name. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** Stricter than RFC 5322: no quoted local parts, which mail servers read in different ways. */
const plainAddress = /^[^\s<>()[\],;:\\"@]+@(?:[^\s<>()[\],;:\\"@]+|\[[\dA-Fa-f.:]+\])$/;

/**
 * The mailboxes in some texts, each `user@host`, `First Last <user@host>` or several of these with commas between. Blank
 * texts are passed over.
 *
 * @param option is named in errors
 * @throws invalid_options there is what is no address, or a line break, which could smuggle in headers
 */
export async function readMailboxes(texts: readonly string[], option: string): Promise<readonly Mailbox[]> {
  const { default: parseAddresses } = await import("nodemailer/lib/addressparser");
  return texts.flatMap((text) => {
    if (/\p{Cc}/u.test(text.trim()))
      throw badAddress(option, text, "holds a line break or control character");
    const found = parseAddresses(text.trim(), { flatten: true });
    for (const { address } of found) {
      if (!plainAddress.test(address)) throw badAddress(option, text, "is no e-mail address");
    }
    return found.map(({ name, address }) => ({ name, address }));
  });
}

function badAddress(option: string, text: string, what: string): VconductorError {
  return new VconductorError(
    "invalid_options",
    `${option}: ${JSON.stringify(text.slice(0, 100))} ${what}; write user@host or First Last <user@host>`,
  );
}
