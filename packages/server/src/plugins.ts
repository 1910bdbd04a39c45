import { relative, sep } from "node:path";
import type { Processor, ProcessorExample } from "./processors/define.ts";
import { theOne } from "./processors/load.ts";
import { type OptionText, optionTexts } from "./processors/option-text.ts";
import { maskSecrets } from "./processors/options-secrets.ts";
import type { ProcessorRegistry, ProcessorSource } from "./processors/registry.ts";
import { clip, pad, wrap } from "./text-layout.ts";

export interface Layout {
  /** Columns that the text may take. */
  readonly width: number;
  /** Paths below it are shown relative to it. */
  readonly directory: string;
}

/** All processors with their options, by where they come from, and the plugins that could not be loaded. */
export function listPlugins(registry: ProcessorRegistry, layout: Layout): string {
  const processors = registry.list();
  const groups = Map.groupBy(processors, ({ name }) => heading(registry.source(name), layout));
  const columns = columnsOf(processors, layout);
  const sections = [...groups].map(([title, members]) =>
    [title, "", ...members.flatMap((member) => entry(registry, { processor: member, columns }))].join("\n"),
  );
  const count = `${processors.length} processors. vconductor plugins NAME shows one in full.`;
  return `${[...sections, ...listProblems(registry, layout), count].join("\n\n")}\n`;
}

/** One processor in full. @throws processor_not_registered */
export function showPlugin(registry: ProcessorRegistry, name: string, layout: Layout): string {
  const processor = registry.get(name);
  const { version, title, description, example } = processor;
  const options = optionTexts(processor).flatMap((option) => [
    `  ${option.name}`,
    ...paragraph(`${option.type}, ${defaultText(option)}`, layout, "    "),
    ...paragraph(option.description, layout, "    "),
  ]);
  const source = registry.source(name);
  const parts = [
    [`${name} ${version}: ${title}`, `${heading(source, layout)}${replacement(source, layout)}`],
    paragraph(description, layout, ""),
    options.length === 0 ? ["It has no options of its own."] : ["Options", ...options],
    example === undefined
      ? []
      : [
          ...paragraph(`Example: ${example.about}`, layout, ""),
          ...JSON.stringify(exampleEntry(processor, example), null, 2).split("\n"),
        ],
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join("\n"))
    .join("\n\n")}\n`;
}

/** Plugins that could not be loaded, as the list's last section; empty when there is none. */
function listProblems({ problems }: ProcessorRegistry, layout: Layout): readonly string[] {
  if (problems.length === 0) return [];
  const lines = problems.flatMap(({ source, message }) => [
    `  ${shortPath(source, layout)}`,
    ...paragraph(message, layout, "    "),
  ]);
  return [["Could not be loaded", "", ...lines].join("\n")];
}

/** The same as data, for programs: one, or with no name all. @throws processor_not_registered */
export function pluginsAsJson(registry: ProcessorRegistry, name?: string): object {
  const processors = name === undefined ? registry.list() : [registry.get(name)];
  return {
    processors: processors.map((processor) => ({
      name: processor.name,
      version: processor.version,
      title: processor.title,
      description: processor.description,
      source: registry.source(processor.name),
      options: optionTexts(processor),
      ...(processor.example === undefined ? {} : { example: exampleOf(processor, processor.example) }),
    })),
    problems: registry.problems,
  };
}

/** An example as an entry of a pipeline's `processors`, which is how people need it. */
export function exampleEntry(processor: Processor, example: ProcessorExample): object {
  return { processor_name: processor.name, processor_options: exampleOf(processor, example).options };
}

function exampleOf(processor: Processor, { about, options }: ProcessorExample) {
  return { about, options: maskSecrets(processor, options) };
}

interface Columns {
  readonly name: number;
  readonly option: number;
  readonly type: number;
  readonly width: number;
}

interface Entry {
  readonly processor: Processor;
  readonly columns: Columns;
}

function columnsOf(processors: readonly Processor[], { width }: Layout): Columns {
  const options = processors.flatMap(listedOptions);
  const widest = (texts: readonly string[], limit: number) =>
    Math.min(limit, Math.max(0, ...texts.map((text) => text.length)));
  return {
    name: widest(
      processors.map(({ name }) => name),
      30,
    ),
    option: widest(
      options.map(({ name }) => name),
      26,
    ),
    type: widest(
      options.map(({ type }) => type),
      36,
    ),
    width,
  };
}

/** The list leaves the members of options to the full view. */
function listedOptions(processor: Processor): readonly OptionText[] {
  return optionTexts(processor).filter(({ name }) => !/[.[]/.test(name));
}

function entry(registry: ProcessorRegistry, { processor, columns }: Entry): readonly string[] {
  const { name, version, title } = processor;
  const { replaces } = registry.source(name);
  const note = replaces === undefined ? "" : ` (replaces ${theOne(replaces)})`;
  const head = `  ${pad(name, columns.name)}  ${pad(version, 7)}  ${title}${note}`;
  const options = listedOptions(processor).map((option) =>
    [`      ${pad(option.name, columns.option)}`, pad(option.type, columns.type), defaultText(option)].join(
      "  ",
    ),
  );
  return [head, ...options].map((line) => clip(line.trimEnd(), columns.width));
}

function defaultText({ required, secret, default: value }: OptionText): string {
  const mark = secret ? "secret, " : "";
  if (required) return `${mark}required`;
  return value === undefined ? `${mark}optional` : `${mark}default ${JSON.stringify(value)}`;
}

function heading({ kind, from = "" }: ProcessorSource, layout: Layout): string {
  if (kind === "built-in") return "Built in";
  return kind === "package" ? `Package ${from}` : `File ${shortPath(from, layout)}`;
}

function replacement({ replaces }: ProcessorSource, layout: Layout): string {
  if (replaces === undefined) return "";
  const from = replaces.from === undefined ? undefined : shortPath(replaces.from, layout);
  return `, replaces ${theOne({ ...replaces, ...(from === undefined ? {} : { from }) })}`;
}

function shortPath(path: string, { directory }: Layout): string {
  const below = path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
  return below ? relative(directory, path) : path;
}

function paragraph(text: string, { width }: Layout, indent: string): readonly string[] {
  return wrap(text, width - indent.length).map((line) => `${indent}${line}`);
}
