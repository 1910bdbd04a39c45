/**
 * The JSON of an object as it was written, with one member in the place of all by its name. Nothing else is read as a
 * value and written again, which would change numbers.
 *
 * @param json valid
 */
export function withMember(json: string, name: string, value: string): string {
  const members: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g)) {
    if (token.startsWith('"')) continue;
    if (token === "}" || token === "]") depth -= 1;
    if ((token === "," && depth === 1) || depth === 0) {
      members.push(json.slice(start, index));
      start = index + 1;
    }
    if (token === "{" || token === "[") depth += 1;
  }
  // Before the first brace there is nothing.
  const others = members.slice(1).filter((member) => member.trim() !== "" && nameOf(member) !== name);
  return `{${[...others, `${JSON.stringify(name)}:${JSON.stringify(value)}`].join(",")}}`;
}

/** @param member `"name": value` */
function nameOf(member: string): unknown {
  const [text = "null"] = /"[^"\\]*(?:\\.[^"\\]*)*"/.exec(member) ?? [];
  return JSON.parse(text);
}
