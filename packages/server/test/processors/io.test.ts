import type { JsonObject } from "@vconductor/vcon";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProcessorIO } from "../../src/processors/io.ts";
import { copyJson, equalJson } from "../../src/processors/json.ts";
import { encrypted, signed, vcon } from "./sample.ts";
import { thrown } from "./thrown.ts";

const stored = { text: JSON.stringify(vcon("a")), revision: 3 };

describe("ProcessorIO", () => {
  it("flags vCons by how they came in", () => {
    const io = new ProcessorIO();
    io.add(vcon("new"));
    io.add(vcon("stored"), { stored });
    io.add(vcon("readonly"), { readonly: true });
    io.add(vcon("lent"), { lent: true });
    expect(io.toOutput().vcons_modified).toEqual([true, false, false, false]);
    expect(io.entries.map(({ isNew }) => isNew)).toEqual([true, false, false, false]);
    expect(io.entries.map(({ origin }) => origin)).toEqual([undefined, stored, undefined, undefined]);
  });

  it("holds one vCon a uuid", () => {
    const io = new ProcessorIO();
    io.add(vcon("a"));
    const error = thrown(() => io.add(vcon("a")));
    expect(error.code).toBe("invalid_request");
    expect(error.message).toBe("vCon UUID: a is in the ProcessorIO already");
  });

  it("refuses one that is stored and read-only, and what is no vCon", () => {
    const io = new ProcessorIO();
    expect(thrown(() => io.add(vcon("a"), { stored, readonly: true })).message).toBe(
      "Should not lock readonly vCon",
    );
    expect(thrown(() => io.add({ hello: 1 })).code).toBe("invalid_vcon");
    expect(thrown(() => io.add({ vcon: "0.4.0", parties: [] })).message).toBe("vCon UUID: not set");
    expect(io.length).toBe(0);
  });

  it("flags an update only when something differs", () => {
    const io = new ProcessorIO();
    io.add(vcon("a"), { stored });
    expect(io.update(io.vcon(0))).toBe(0);
    expect(io.update(Object.fromEntries(Object.entries(io.vcon(0)).reverse()))).toBe(0);
    expect(io.toOutput().vcons_modified).toEqual([false]);
    io.update({ ...io.vcon(0), subject: "changed" });
    expect(io.toOutput().vcons_modified).toEqual([true]);
    expect(io.vcon(0).subject).toBe("changed");
    expect(io.entries[0]?.origin).toEqual(stored);
  });

  it("refuses updates of what is read-only or not there", () => {
    const io = new ProcessorIO();
    io.add(vcon("a"), { readonly: true });
    expect(thrown(() => io.update(io.vcon(0)))).toMatchObject({
      code: "conflict",
      message: "vCon a has no write lock",
    });
    expect(thrown(() => io.update(vcon("b")))).toMatchObject({
      code: "vcon_not_found",
      message: "vCon UUID: b not found in ProcessorIO",
    });
  });

  it("hands out copies", () => {
    const io = new ProcessorIO();
    io.add(vcon("a"), { stored });
    const before = JSON.stringify(io.peek(0));
    for (const copy of [io.vcon(0), io.document(0)]) {
      Object.assign(copy, { subject: "changed" });
      Object.assign(Object(copy.parties)[0], { name: "changed" });
    }
    expect(JSON.stringify(io.peek(0))).toBe(before);
  });

  it("keeps old versions in the newest one", () => {
    const io = new ProcessorIO();
    io.add({ ...vcon("a"), vcon: "0.0.1" }, { stored });
    expect(io.vcon(0).vcon).toBe("0.4.0");
    expect(io.toOutput().vcons_modified).toEqual([false]);
  });

  it("holds signed and encrypted vCons, which are no unsigned ones", () => {
    const io = new ProcessorIO();
    io.add(signed("s"), { stored });
    io.add(encrypted("e"), { stored });
    expect([io.uuid(0), io.form(0), io.uuid(1), io.form(1)]).toEqual(["s", "signed", "e", "encrypted"]);
    expect([io.document(0), io.document(1)]).toEqual([signed("s"), encrypted("e")]);
    const text = "Cannot modify Vcon unless current state is UNSIGNED.  Current state: VconStates.";
    expect(thrown(() => io.vcon(0))).toMatchObject({
      code: "invalid_vcon_state",
      message: `${text}UNVERIFIED`,
    });
    expect(thrown(() => io.vcon(1))).toMatchObject({
      code: "invalid_vcon_state",
      message: `${text}ENCRYPTED`,
    });
    io.update(vcon("e"));
    expect([io.form(1), io.toOutput().vcons_modified[1]]).toEqual(["unsigned", true]);
  });

  it("names an index beyond the list", () => {
    const io = new ProcessorIO();
    io.add(vcon("a"));
    for (const look of [() => io.vcon(1), () => io.document(1), () => io.uuid(1), () => io.form(-1)]) {
      expect(thrown(look).code).toBe("vcon_not_found");
    }
    expect(thrown(() => io.uuid(1)).message).toBe(
      "vCon index: 1 not found in ProcessorIO, which has 1 vCons",
    );
  });

  it("gives the output that clients know", () => {
    const io = new ProcessorIO({ p: null, q: [1] });
    io.add(vcon("a"), { lent: true });
    io.queueJob({ queue: "next", uuids: ["a"] });
    io.queueJobs([{ queue: "other", uuids: ["a", "b"], from: "here" }]);
    expect(io.toOutput()).toEqual({
      vcons: [vcon("a")],
      vcons_modified: [false],
      parameters: { p: null, q: [1] },
      queue_jobs: [
        { job_type: "vcon_uuid", to_queue: "next", vcon_uuids: ["a"] },
        { job_type: "vcon_uuid", to_queue: "other", vcon_uuids: ["a", "b"], from_queue: "here" },
      ],
    });
  });

  it("comes back from a snapshot that went through JSON", () => {
    const io = new ProcessorIO({ p: 1 });
    io.add(vcon("a"), { stored });
    io.add(signed("s"));
    io.add(vcon("r"), { readonly: true });
    io.update({ ...io.vcon(0), subject: "changed" });
    io.queueJob({ queue: "next", uuids: ["a"], from: "x" });
    const back = ProcessorIO.restore(JSON.parse(JSON.stringify(io.snapshot())));
    expect(back.entries).toEqual(io.entries);
    expect(back.toOutput()).toEqual(io.toOutput());
  });

  it("is independent of its clone", () => {
    const io = new ProcessorIO({ p: 1 });
    io.add(vcon("a"), { stored });
    const clone = io.clone();
    clone.update({ ...clone.vcon(0), subject: "changed" });
    clone.parameters.set("p", 2);
    clone.queueJob({ queue: "next", uuids: ["a"] });
    expect(io.toOutput()).toEqual({
      vcons: [vcon("a")],
      vcons_modified: [false],
      parameters: { p: 1 },
      queue_jobs: [],
    });
  });
});

describe("ProcessorIO.fromInput", () => {
  it("takes vCons and parameters, and ignores the rest", () => {
    const io = ProcessorIO.fromInput({
      vcons: [vcon("a"), signed("s")],
      parameters: { p: null },
      vcons_modified: [true],
      queue_jobs: [{ job_type: "vcon_uuid", to_queue: "x", vcon_uuids: ["a"] }],
    });
    expect(io.toOutput()).toEqual({
      vcons: [vcon("a"), signed("s")],
      vcons_modified: [false, false],
      parameters: { p: null },
      queue_jobs: [],
    });
  });

  it.each([undefined, null, {}, { vcons: [] }, { vcons: null, parameters: null }])("%o is empty", (input) => {
    expect(ProcessorIO.fromInput(input).length).toBe(0);
  });

  it.each([
    ["text", "invalid_request", ["body", "processor_io"]],
    [{ vcons: {} }, "invalid_request", ["body", "processor_io", "vcons"]],
    [{ parameters: [] }, "invalid_request", ["body", "processor_io", "parameters"]],
    [{ vcons: [vcon("a"), 7] }, "invalid_vcon", ["body", "processor_io", "vcons", 1]],
    [
      { vcons: [{ ...vcon("a"), vcon: "9" }] },
      "unsupported_vcon_version",
      ["body", "processor_io", "vcons", 0, "vcon"],
    ],
  ])("%o is refused with its place", (input, code, loc) => {
    expect(thrown(() => ProcessorIO.fromInput(input))).toMatchObject({ code, detail: [{ loc }] });
  });

  it("refuses one uuid twice", () => {
    expect(thrown(() => ProcessorIO.fromInput({ vcons: [vcon("a"), vcon("a")] })).code).toBe(
      "invalid_request",
    );
  });
});

describe("copyJson and equalJson", () => {
  const parsed = fc.json({ maxDepth: 4 }).map((text) => JSON.parse(text));
  // Members by this name are ordinary in JSON and special in JavaScript.
  const odd: JsonObject = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}');

  it("copies every JSON value exactly, and shares nothing", () => {
    fc.assert(
      fc.property(parsed, (value) => {
        expect(JSON.stringify(copyJson(value))).toBe(JSON.stringify(value));
        expect(equalJson(copyJson(value), value)).toBe(true);
      }),
    );
    expect(JSON.stringify(copyJson(odd))).toBe(JSON.stringify(odd));
    expect(Object.values(copyJson(odd))[0]).not.toBe(Object.values(odd)[0]);
  });

  it("agree with JSON about what is the same", () => {
    fc.assert(
      fc.property(parsed, parsed, (a, b) => {
        expect(equalJson(a, b)).toBe(sorted(a) === sorted(b));
      }),
    );
    expect(equalJson(odd, {})).toBe(false);
    expect(equalJson({}, odd)).toBe(false);
    expect(equalJson([], {})).toBe(false);
  });
});

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : Object.is(item, -0)
        ? 0
        : item,
  );
}
