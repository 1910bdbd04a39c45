/** The text of docs/processors.md, from the definitions of the processors. */
import { exampleEntry } from "../packages/server/src/plugins.ts";
import { commonOptions } from "../packages/server/src/processors/common-options.ts";
import type { Processor } from "../packages/server/src/processors/define.ts";
import { type OptionText, optionTexts } from "../packages/server/src/processors/option-text.ts";

/** All processors in the order given: an overview, the options that all have, and a section for each. */
export function processorDocs(processors: readonly Processor[]): string {
  const overview = processors.map(
    (processor) => `| ${prose(processor.title)} | ${linkTo(processor)} | ${needs(processor)} |`,
  );
  return `# Processors

A processor is one step of a pipeline. These come with the server; [plugins](plugins.md) add others. On a terminal,
\`vconductor plugins\` lists all that a server would load, and \`vconductor plugins NAME\` shows one.

| what it does | processor | secrets |
|---|---|---|
${overview.join("\n")}

## Options that all have

Each entry of a pipeline's \`processors\` names a processor and its options. Beside its own, every processor has these:

${optionTable(optionTexts({ options: commonOptions }))}

Options marked *secret* are never shown. Their value should be a reference, \`"secret:NAME"\`: it stands for the
environment variable NAME of the server, which is read just before the processor runs. Options marked *or a reference*
are no secrets, but take such a reference too.

${processors.map(section).join("\n")}`;
}

function section(processor: Processor): string {
  const { name, title, description, version, example } = processor;
  const options = optionTexts(processor);
  const shown =
    example === undefined
      ? ""
      : `\n${prose(example.about)}\n\n\`\`\`json\n${JSON.stringify(exampleEntry(processor, example), null, 2)}\n\`\`\`\n`;
  return `## ${name}

**${prose(title)}** (version ${version}). ${prose(description)}

${options.length === 0 ? "It has no options of its own." : optionTable(options)}
${shown}`;
}

function optionTable(options: readonly OptionText[]): string {
  const rows = options.map((option) => {
    const mark = option.secret ? "*Secret.* " : option.reference ? "*Or a reference.* " : "";
    const description = `${mark}${prose(option.description)}`.trim();
    return `| \`${cell(option.name)}\` | ${code(option.type)} | ${presence(option)} | ${description} |`;
  });
  return ["| option | type | default | description |", "|---|---|---|---|", ...rows].join("\n");
}

/** GitHub makes the anchor of a heading from its letters, digits, `_` and `-`. */
function linkTo({ name }: Processor): string {
  return `[\`${name}\`](#${name.toLowerCase().replace(/[^a-z0-9_-]/g, "")})`;
}

function needs(processor: Processor): string {
  const secrets = optionTexts(processor).filter(({ secret }) => secret);
  return secrets.map(({ name }) => `\`${cell(name)}\``).join(", ");
}

function presence({ required, default: value }: OptionText): string {
  if (required) return "required";
  return value === undefined ? "none" : code(JSON.stringify(value));
}

/** As code in a table: there only the bar has a meaning, even within backticks. */
function code(text: string): string {
  const fence = text.includes("`") ? "``" : "`";
  return `${fence}${cell(text)}${fence}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/\s+/g, " ");
}

/** Text of the source, as it is: what Markdown would take for markup is escaped, except within backticks. */
function prose(text: string): string {
  return cell(text)
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith("`") ? part : part.replace(/[*<[\]]|(?<=^|\s)_|_(?=\s|$)/g, "\\$&")))
    .join("");
}
