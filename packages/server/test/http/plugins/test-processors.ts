import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Type } from "typebox";
import { defineProcessor } from "../../../src/processors/define.ts";

const file = (description: string) => Type.String({ default: "", description });

/** Processors for the tests of the API: ones that hold up a run, fail, or keep a secret. */
export default [
  defineProcessor({
    name: "gate",
    title: "Gate",
    description: "Waits until a file is there, and stops when it is told to.",
    version: "1.0.0",
    options: Type.Object({ open: file("The file that opens the gate; none: it stays closed") }),
    async process(io, { open }, context) {
      context.progress(40, "at the gate");
      while (open === "" || !existsSync(open)) await sleep(10, undefined, { signal: context.signal });
      return io;
    },
  }),
  defineProcessor({
    name: "deaf",
    title: "Deaf",
    description: "Works for ever, and does not stop when it is told to.",
    version: "1.0.0",
    options: Type.Object({}),
    async process(_io, _options, context) {
      context.progress(10, "deaf");
      for (;;) await sleep(10);
    },
  }),
  defineProcessor({
    name: "broken",
    title: "Broken",
    description: "Fails, unless a file is there.",
    version: "1.0.0",
    options: Type.Object({ repaired: file("The file that makes it work") }),
    process(io, { repaired }) {
      if (repaired === "" || !existsSync(repaired)) throw new TypeError("this one is broken");
      return io;
    },
  }),
  defineProcessor({
    name: "vault",
    title: "Vault",
    description: "Has a secret option, and fails with it in its mouth.",
    version: "1.0.0",
    options: Type.Object({ key: Type.String({ writeOnly: true }), open: Type.Boolean({ default: true }) }),
    process(io, { key, open }) {
      if (!open) throw new Error(`the key ${key} does not fit`);
      io.parameters.set("length", key.length);
      return io;
    },
  }),
];
