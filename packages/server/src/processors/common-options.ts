import { type Static, Type } from "typebox";

/** The options every processor has beside its own. */
export const commonOptions = Type.Object({
  label: Type.String({ title: "label", default: "", description: "A short description, no effect." }),
  notes: Type.String({ title: "notes", default: "", description: "A longer description, no effect." }),
  input_vcon_index: Type.Integer({
    title: "input vCon index",
    minimum: 0,
    default: 0,
    description: "Which of the vCons that the processor is given is its input.",
  }),
  should_process: Type.Boolean({
    title: "process?",
    default: true,
    description: "If false the processor is skipped, and what it was given is passed on.",
  }),
  format_options: Type.Record(Type.String(), Type.String(), {
    title: "options from parameters",
    default: {},
    description:
      "Option name to template. Before the processor runs, {name}, {name[key]} and {name[0]} are replaced by " +
      "parameters, and the text becomes the value of the option. {{ and }} stand for braces.",
  }),
});

export type CommonOptions = Static<typeof commonOptions>;

/** What each of them is where a pipeline does not say. */
export const commonOptionDefaults: CommonOptions = {
  label: "",
  notes: "",
  input_vcon_index: 0,
  should_process: true,
  format_options: {},
};
