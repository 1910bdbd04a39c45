import { afterAll, describe, expect, it } from "vitest";
import { JsonText } from "../../../src/processors/jq/json-text.ts";
import { JqSandbox } from "../../../src/processors/jq/sandbox.ts";
import { rejected } from "../thrown.ts";

const sandbox = new JqSandbox({ maxOutputBytes: 1024 * 1024 });
afterAll(() => sandbox.stop());

describe("JqSandbox", () => {
  it("gives every output in order", async () => {
    expect(await sandbox.run({ program: ".a[]", input: { a: [1, "é😀", null, { b: [] }] } })).toEqual([
      1,
      "é😀",
      null,
      { b: [] },
    ]);
    expect(await sandbox.run({ program: "empty", input: null })).toEqual([]);
    expect(await sandbox.run({ program: '"a\\nb", 1', input: null })).toEqual(["a\nb", 1]);
  });

  it("takes text as it is, and programs that begin with a minus", async () => {
    expect(await sandbox.run({ program: "-.a", input: new JsonText('{"a":1}') })).toEqual([-1]);
    expect(await sandbox.run({ program: "--arg", input: null }).catch((error) => error.code)).toBe(
      "invalid_query",
    );
  });

  it("keeps outputs JSON when a number is too large", async () => {
    expect(await sandbox.run({ program: "1e1000, -1e1000", input: null })).toEqual([
      Number.MAX_VALUE,
      -Number.MAX_VALUE,
    ]);
  });

  it.each([
    [".[", "syntax error"],
    [".a.b", "Cannot index number"],
    ['error("boom")', "boom"],
    ["nope", "nope/0 is not defined"],
  ])("%s is an invalid query", async (program, text) => {
    const error = await rejected(sandbox.run({ program, input: { a: 1 } }));
    expect(error.code).toBe("invalid_query");
    expect(error.message).toContain(text);
    expect(error.message).not.toMatch(/\bat .*\.ts|compile error$/);
  });

  it("shows nothing of the host's environment", async () => {
    process.env.JQ_SANDBOX_TEST = "leaked";
    const [env, dollarEnv, file] = await sandbox.run({ program: "env, $ENV, input_filename", input: null });
    expect(JSON.stringify([env, dollarEnv])).not.toContain("leaked");
    expect(Object.keys(Object(env)).toSorted()).toEqual([
      "HOME",
      "LANG",
      "LOGNAME",
      "PATH",
      "PWD",
      "USER",
      "_",
    ]);
    expect(Object(env).USER).toBe("web_user");
    expect(file).toBe("/dev/stdin");
  });

  it.each([
    'import "/etc/hostname" as $x {search: "/"}; $x',
    `import "package" as $x {search: "${process.cwd()}"}; $x`,
    'include "a"; .',
    'import "passwd" as $x {search: "/etc", raw: true}; $x',
  ])("reads no file: %s", async (program) => {
    const error = await rejected(sandbox.run({ program, input: null }));
    expect(error.code).toBe("invalid_query");
    expect(error.message).toContain("not found");
  });

  it("has no input but the one it was given", async () => {
    expect(await sandbox.run({ program: "[inputs]", input: "first" })).toEqual([[]]);
    expect(await sandbox.run({ program: ".", input: "second" })).toEqual(["second"]);
  });

  it.each(["def f: f; f", "[range(1e12)]", "repeat(1)"])("ends %s and works again", async (program) => {
    const error = await rejected(sandbox.run({ program, input: null, timeoutMs: 200 }));
    expect(error.code).toBe("invalid_query");
    expect(await sandbox.run({ program: ".", input: 7 })).toEqual([7]);
  });

  it("ends a program that uses too much memory and works again", async () => {
    const error = await rejected(sandbox.run({ program: "def f: [f]; f", input: null }));
    expect(error.message).toBe("jq: the program ran out of memory");
    expect(await sandbox.run({ program: ".", input: 7 })).toEqual([7]);
  });

  it("ends a program that prints too much and works again", async () => {
    const error = await rejected(sandbox.run({ program: 'repeat("0123456789")', input: null }));
    expect(error.message).toBe("jq: the output is larger than 1048576 bytes");
    expect(await sandbox.run({ program: ".", input: 7 })).toEqual([7]);
  });

  it("runs calls in the order they came, past one that fails", async () => {
    const order: number[] = [];
    const calls = Array.from({ length: 20 }, async (_, index) => {
      const program = index === 5 ? "def f: f; f" : ".";
      const result = sandbox.run({ program, input: index, timeoutMs: 200 });
      await result.then(
        ([value]) => order.push(Number(value)),
        () => order.push(-1),
      );
    });
    await Promise.all(calls);
    expect(order).toEqual(Array.from({ length: 20 }, (_, index) => (index === 5 ? -1 : index)));
  });

  it("drops a waiting call and ends a running one when told to", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [0, 1, 2].map((input) => rejected(sandbox.run({ program: "def f: f; f", input, signal })));
    controller.abort();
    expect((await Promise.all(calls)).map((error) => error.code)).toEqual(Array(3).fill("run_cancelled"));
    expect(await rejected(sandbox.run({ program: ".", input: 1, signal }))).toMatchObject({
      code: "run_cancelled",
    });
    expect(await sandbox.run({ program: ".", input: 7 })).toEqual([7]);
  });

  it("takes a document of 5 MB", async () => {
    const dialog = Array.from({ length: 40_000 }, (_, index) => ({ index, body: "x".repeat(100) }));
    expect(await sandbox.run({ program: ".dialog | length", input: { dialog } })).toEqual([40_000]);
  });

  it("stops, twice, and fails what was waiting", async () => {
    const stopping = new JqSandbox();
    const running = rejected(stopping.run({ program: "def f: f; f", input: null }));
    const waiting = rejected(stopping.run({ program: ".", input: null }));
    await stopping.stop();
    await stopping.stop();
    expect([(await running).code, (await waiting).code]).toEqual(["stopping", "stopping"]);
  });
});
