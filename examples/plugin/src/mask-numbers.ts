import type { PluginProcessor } from "@vconductor/server/plugin";

// Types only are imported, and those are gone at run time: the plugin depends on nothing.

interface Options {
  readonly digits: number;
  readonly keep: number;
  readonly mask: string;
}

const maskNumbers: PluginProcessor<Options> = {
  name: "mask_numbers",
  title: "Mask numbers in messages",
  description:
    "Replaces the digits of long numbers (cards, accounts, telephones) in the text dialogs. Single spaces, dots and " +
    "dashes within a number stay. The parameter masked_numbers becomes their count. Recordings and transcripts stay " +
    "as they are.",
  version: "1.0.0",
  options: {
    type: "object",
    properties: {
      digits: {
        type: "integer",
        title: "digits",
        description: "Numbers of at least so many digits are masked.",
        minimum: 2,
        maximum: 50,
        default: 6,
      },
      keep: {
        type: "integer",
        title: "keep",
        description: "So many digits at the end of each number stay readable. Fewer than `digits`.",
        minimum: 0,
        default: 0,
      },
      mask: {
        type: "string",
        title: "mask",
        description: "What takes the place of a digit.",
        minLength: 1,
        maxLength: 1,
        default: "*",
      },
    },
  },
  example: {
    about: "Masks numbers of twelve digits and more, and leaves the last four readable.",
    options: { digits: 12, keep: 4 },
  },
  process(io, options, context) {
    if (options.keep >= options.digits) {
      throw new Error(`keep (${options.keep}) must be less than digits (${options.digits})`);
    }
    const vcon = io.peekVcon(options.input_vcon_index);
    const dialogs = vcon.dialog ?? [];
    let count = 0;
    const masked = dialogs.map((dialog, index) => {
      context.signal.throwIfAborted();
      context.progress((100 * index) / dialogs.length, `dialog ${index + 1} of ${dialogs.length}`);
      const { type, encoding = "none", body } = dialog;
      if (type !== "text" || encoding !== "none" || typeof body !== "string") return dialog;
      const found = maskText(body, options);
      if (found.count === 0) return dialog;
      count += found.count;
      // A hash of the old text would not fit the new one.
      const { content_hash: _, ...rest } = dialog;
      return { ...rest, body: found.text };
    });
    context.log.info({ count }, "numbers masked");
    io.parameters.set("masked_numbers", count);
    if (count > 0) io.update({ ...vcon, dialog: masked });
    return io;
  },
};

export default maskNumbers;

function maskText(text: string, { digits, keep, mask }: Options): { text: string; count: number } {
  let count = 0;
  const number = new RegExp(`\\d(?:[ .-]?\\d){${digits - 1},}`, "g");
  const replaced = text.replace(number, (found) => {
    count += 1;
    let hidden = found.replace(/\D/g, "").length - keep;
    return found.replace(/\d/g, (digit) => {
      hidden -= 1;
      return hidden >= 0 ? mask : digit;
    });
  });
  return { text: replaced, count };
}
