/** The same in plain JavaScript: an object with these members is all there is to a processor. */
export default {
  name: "set_subject",
  title: "Set a subject",
  description: "Gives a conversation without a subject one that names its parties.",
  version: "1.0.0",
  options: {
    type: "object",
    properties: {
      prefix: {
        type: "string",
        title: "prefix",
        description: "What stands before the names.",
        default: "Conversation between",
      },
    },
  },
  example: {
    about: "“Call between Maya Lindqvist and Daniel Okafor”, for example.",
    options: { prefix: "Call between" },
  },
  process(io, { prefix, input_vcon_index }) {
    const vcon = io.peekVcon(input_vcon_index);
    const names = (vcon.parties ?? []).flatMap(({ name }) => name ?? []);
    if (vcon.subject || names.length === 0) return io;
    io.update({ ...vcon, subject: `${prefix} ${new Intl.ListFormat("en").format(names)}` });
    return io;
  },
};
