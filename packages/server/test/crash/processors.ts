/**
 * The plugin of these tests, as text: it lies outside the checkout, as a user's plugin does, and can import
 * nothing of ours.
 *
 * - `mark` appends one analysis to the job's first vCon; it bears the uuid of the job's last one.
 * - `gate` writes the file `inside`, waits until the file `open` is there, then marks.
 * - `deadly` kills its own process for a vCon with the subject "deadly", and marks any other.
 * - `stuck` never ends for a vCon with the subject "stuck", by `how`: a busy loop, or a wait that heeds nothing.
 */
export const processors = `
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const text = { type: "string" };
const about = (name, properties = {}) => ({
  name, title: name, description: name, version: "1.0.0", options: { type: "object", properties },
});

function mark(io) {
  const vcon = io.vcon(0);
  const body = io.uuid(io.length - 1);
  vcon.analysis = [...(vcon.analysis ?? []), { type: "mark", vendor: "test", encoding: "none", body }];
  io.update(vcon);
  return io;
}

export default [
  { ...about("mark", { ms: { type: "number", default: 0 } }),
    async process(io, options, context) {
      if (options.ms > 0) await sleep(options.ms, undefined, { signal: context.signal });
      return mark(io);
    } },
  { ...about("gate", { inside: text, open: text }),
    async process(io, options, context) {
      appendFileSync(options.inside, process.pid + "\\n");
      while (!existsSync(options.open)) await sleep(10, undefined, { signal: context.signal });
      return mark(io);
    } },
  { ...about("deadly"),
    process(io) {
      if (io.vcon(0).subject === "deadly") process.kill(process.pid, "SIGKILL");
      return mark(io);
    } },
  { ...about("stuck", { how: { enum: ["busy", "deaf"] }, inside: { ...text, default: "" } }),
    async process(io, options) {
      if (io.vcon(0).subject !== "stuck") { await sleep(20); return mark(io); }
      if (options.inside !== "") appendFileSync(options.inside, process.pid + "\\n");
      if (options.how === "busy") for (;;);
      await new Promise((resolve) => setTimeout(resolve, 3_600_000));
      return mark(io);
    } },
];
`;
