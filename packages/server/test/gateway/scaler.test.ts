import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startGateway } from "../faces/gateway/start-gateway.ts";
import { eventually } from "../setup/eventually.ts";

it("what could not be said is said again at the next look, and a slow command holds up no other service", async () => {
  const directory = await mkdtemp(join(tmpdir(), "vconductor-scaler-"));
  const said = join(directory, "said");
  // Of one service it never ends, of the other it fails.
  const script = `
    const { SERVICE, NEED } = process.env;
    fs.appendFileSync(process.argv[1], SERVICE + " " + NEED + "\\n");
    if (SERVICE === "slow") setInterval(() => {}, 1000); else process.exit(1);`;
  const service = (name: string) => ({ celery_queue_name: name, celery_task_name: name });
  const gateway = await startGateway({
    RUBBER_EVAL_INTERVAL: 1,
    SCALE_COMMAND: [process.execPath, "-e", script, said],
    WORKER_SERVICES: { slow: service("slow"), broken: service("broken") },
  });
  try {
    const lines = await eventually(async () => {
      const all = (await readFile(said, "utf8")).trim().split("\n");
      return all.filter((line) => line === "broken 1").length >= 3 && all.includes("slow 1")
        ? all
        : undefined;
    });
    expect(lines.filter((line) => line.startsWith("slow"))).toEqual(["slow 1"]);
  } finally {
    // Ends the one that would not end.
    await gateway.stop();
    await rm(directory, { recursive: true });
  }
});
