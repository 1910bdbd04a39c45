import { styleText } from "node:util";

type Style = (text: string) => string;

/** How the parts of the summary are set apart; without colours all of them leave the text as it is. */
export interface Styles {
  readonly title: Style;
  readonly heading: Style;
  readonly dim: Style;
  readonly warning: Style;
  /** The colour of a speaker, by the order in which they are met. */
  speaker(index: number): Style;
}

/** Red is for what is wrong. */
const speakers = ["cyan", "green", "magenta", "yellow", "blue"] as const;

export function stylesFor(colour: boolean): Styles {
  const style = (format: Parameters<typeof styleText>[0]): Style =>
    // The caller has decided; styleText would look at the environment and at standard output once more.
    colour
      ? (text) => (text === "" ? "" : styleText(format, text, { validateStream: false }))
      : (text) => text;
  return {
    title: style("bold"),
    heading: style(["bold", "underline"]),
    dim: style("dim"),
    warning: style("red"),
    speaker: (index) => style(speakers[index % speakers.length] ?? "cyan"),
  };
}
