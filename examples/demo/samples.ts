import { readdir, readFile } from "node:fs/promises";
import { textIn } from "./json.ts";
import { Trouble } from "./trouble.ts";

const folder = new URL("../conversations/", import.meta.url);

export interface Sample {
  readonly file: string;
  readonly uuid: string;
  /** For people: the subject, else the file. */
  readonly title: string;
  readonly text: string;
}

/** The sample conversations, in the order of their files. @throws Trouble when there is none, or one is no vCon */
export async function readSamples(): Promise<readonly Sample[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".vcon.json")).sort();
  if (files.length === 0) throw new Trouble(`There are no conversations in ${folder.pathname}.`);
  return await Promise.all(files.map(readSample));
}

async function readSample(file: string): Promise<Sample> {
  const text = await readFile(new URL(file, folder), "utf8");
  const vcon: unknown = JSON.parse(text);
  const uuid = textIn(vcon, "uuid");
  if (uuid === undefined) throw new Trouble(`${file} has no uuid.`);
  return { file, uuid, title: textIn(vcon, "subject") ?? file, text };
}
