import { afterAll, describe, expect, test } from "vitest";
import { call, makeFolder, out, vcon } from "./run-vcon.ts";

const folder = makeFolder();
afterAll(() => folder.remove());

/* Every error is one line that begins with the program's name, nothing is written to stdout, and the status tells. */
const wrong: readonly (readonly [args: readonly string[], code: number, message: RegExp, input?: string])[] =
  [
    [["nope"], 2, /There is no command "nope"\. The commands are add, /],
    [["sho"], 2, /Did you mean show\?/],
    [["sign"], 2, /missing required argument 'key'/],
    [["--nope"], 2, /unknown option '--nope'/],
    [["add", "nope"], 2, /unknown command 'nope'/],
    [["-i", "missing.vcon"], 1, /missing\.vcon: there is no such file/],
    [["-i", "."], 1, /EISDIR|it is a directory/],
    [[], 1, /The text is not JSON/, "{"],
    [[], 1, /not a vCon/, "[]"],
    [[], 1, /version "9\.9\.9" is not supported/, '{"vcon":"9.9.9","uuid":"u","parties":[]}'],
    [["verify", "missing.crt"], 1, /missing\.crt: there is no such file/, call],
    [["verify", "-i", "x", "-i", "y", "z"], 1, /there is no such file/],
    [["encrypt", "package.json"], 1, /there is no such file/, call],
    [["filter"], 2, /Name a filter/, call],
    [["filter", "nope"], 2, /There is no filter "nope"\. There are create_amended, /, call],
    [["filter", "-fo", "{}"], 2, /-fo comes after the name/, call],
    [["filter", "redact_pii", "-fo", "{"], 2, /-fo: "\{" is not JSON/, call],
    [["filter", "redact_pii", "-fo", "[]"], 2, /give a JSON object/, call],
    [["filter", "redact_pii", "-fo", '{"country":1}'], 2, /country must be string/, call],
    [
      ["filter", "verify"],
      1,
      /verify needs a vCon that is unverified or signed; this one is unsigned\. Sign it first\./,
      call,
    ],
    [["-r", "x", "./nope.js", "X", "{}", "filter", "x"], 2, /The module \.\/nope\.js cannot be loaded/, call],
    [["-r", "x", "no-such-package", "X", "{}", "filter", "x"], 2, /There is no module no-such-package/, call],
    [["-r", "sign", "./nope.js", "X", "{}", "filter", "x"], 2, /There is a filter sign already/, call],
    [["-r", "x"], 2, /-r needs 4 values: NAME MODULE CLASS INITJSON\./, call],
    [["extract", "dialog", "1"], 1, /The vCon has no dialog 1; it has dialog 0 to 0\./, call],
    [["extract", "attachment", "0"], 1, /no attachment 0; it has none/, call],
    [["extract", "dialog", "x"], 2, /"x" is no number of an entry/, call],
    [["convert", "--to", "1.0"], 2, /--to: 1\.0 is none of 0\.0\.2, 0\.3\.0, 0\.4\.0/, call],
    [["hash", "--algorithm", "md5"], 2, /md5 is none of sha512, sha384, sha256/, call],
    [["add", "party", "Ann"], 2, /party: "Ann" is not JSON/, call],
    [["add", "party", "[]"], 2, /give a JSON object/, call],
    [
      ["add", "in-recording", "missing.wav", "2026-03-04T10:00:00Z", "0"],
      1,
      /missing\.wav: there is no such file/,
      call,
    ],
    [
      ["add", "in-recording", "missing.wav", "2026-03-04T10:00:00Z", "-1"],
      2,
      /parties: -1 is no number of a party|unknown option/,
      call,
    ],
    [
      ["add", "in-recording", "missing.wav", "2026-03-04T10:00:00Z", "[0,"],
      2,
      /parties: "\[0," is not JSON/,
      call,
    ],
    [["add", "in-meet", "missing.mp4"], 1, /missing\.mp4: there is no such file/, call],
    [["redact"], 2, /Say what to redact/, call],
    [["redact", "--dialog", "all"], 2, /Say with --type what kind/, call],
    [["redact", "--type", "x", "--dialog", "7"], 2, /dialog: 7 points nowhere/, call],
    [["redact", "--type", "x", "--jq", "."], 0, /^$/, call],
    [["redact", "--type", "x", "--jq", ".["], 2, /jq program failed/, call],
    [["redact", "--type", "x", "--keep", "name", "--drop", "tel"], 2, /--keep or --drop/, call],
    [
      ["add", "ex-recording", "/dev/null", "2026-03-04T10:00:00Z", "0", "http://example.com/a"],
      2,
      /http:\/\/example\.com\/a is no https URL/,
      call,
    ],
    [["get", "nonsense", "u"], 2, /nonsense is not a URL/],
    [["get", "http://127.0.0.1:1", "u"], 5, /127\.0\.0\.1:1 cannot be reached/],
    [["-g", "127.0.0.1", "1", "u"], 5, /127\.0\.0\.1:1 cannot be reached/],
    [["-g", "127.0.0.1"], 2, /-g needs 3 values: HOST PORT UUID\./],
    [["keys", "k", "--type", "DSA"], 2, /DSA is neither RSA nor EC/],
    [["keys", "k", "--days", "0"], 2, /0 is no number of days/],
    [["show", "--timezone", "Mars"], 2, /Mars/, call],
  ];

const cases = wrong.map(([args, code, message, input]) => ({ args, code, message, input }));

test.each(cases)("vcon $args ends with $code", async ({ args, code, message, input }) => {
  const ended = await vcon(args, { cwd: folder.path, ...(input === undefined ? {} : { input }) });
  expect(ended.stderr).toMatch(message);
  expect(ended.code).toBe(code);
  if (code === 0) return;
  expect(ended.stdout.toString()).toBe("");
  expect(ended.stderr).toMatch(/^vcon: [^\n]+\n$/);
});

describe("help", () => {
  test("of the whole, with examples and what the exit status means, on stdout", async () => {
    const help = await out(["--help"]);
    for (const word of [
      "Examples:",
      "Exit status:",
      "in-recording",
      "encrypt",
      "-g, --get <HOST PORT UUID>",
    ]) {
      expect(help).toContain(word);
    }
  });

  test("of every command", async () => {
    const names = [...(await out(["--help"])).matchAll(/^ {2}([a-z]+)(?= .* {2,}\S)/gm)].map(
      (match) => match[1] ?? "",
    );
    expect(names.length).toBeGreaterThan(14);
    for (const name of names.filter((each) => !["vcon", "help"].includes(each)))
      expect(await out([name, "--help"]), name).toContain(`Usage: vcon ${name}`);
  });

  test("the version is the package's", async () => {
    const { default: manifest } = await import("../../package.json", { with: { type: "json" } });
    expect(await out(["--version"])).toBe(`${manifest.version}\n`);
  });

  test.each(["bash", "zsh", "fish", "powershell"])("completion for %s", async (shell) => {
    expect(await out(["completion", shell])).toContain("vcon");
  });

  test("completes commands and options", async () => {
    expect(await out(["complete", "--", "val"])).toMatch(/^validate\b/m);
  });
});
