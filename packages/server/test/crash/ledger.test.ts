import { expect, test } from "vitest";
import { type Answer, at, call } from "../http/call.ts";
import { eventually } from "../setup/eventually.ts";
import { openSite } from "./harness.ts";

const pipeline = { name: "crash", uri: "u", version: "1" };

test("kill -9 of the server while its ledger is used: what was answered stays true, and every task is done once", async () => {
  const site = await openSite();
  const server = await site.start();
  const administrator = await site.command(["porch", "token", "--description", "first"]);
  const as = (token: string) => ({
    send: (method: string, path: string, body: unknown) =>
      call(method, `${server.url}/porch${path}`, { body, headers: { authorization: `Bearer ${token}` } }),
  });
  const admin = as(administrator.stdout.trim());
  expect((await admin.send("POST", "/pipelines/", pipeline)).status).toBe(201);
  const made = await admin.send("POST", "/pipelines/crash/token/worker", undefined);
  const { send } = as(String(at(made.json, "token")));
  /** Until it is answered: the server is away for a while. */
  const insist = (method: string, path: string, body: unknown): Promise<Answer> =>
    eventually(async () => {
      const answer = await send(method, path, body);
      return answer.status < 500 ? answer : undefined;
    });

  const count = 150;
  const [registered, claims, done]: [Set<number>, number[], Set<number>] = [new Set(), [], new Set()];
  const half = Promise.withResolvers<void>();
  const register = async (from: number) => {
    for (let n = from; n < count; n += 4) {
      const answer = await insist("POST", "/tasks/", { pipeline, task_input: { n }, status: "PENDING" });
      // 200: it was in before the crash, and only the answer was lost.
      expect([200, 201]).toContain(answer.status);
      registered.add(n);
    }
  };
  const work = async () => {
    while (done.size < count) {
      // A claim whose answer is lost comes back when its lease ends.
      const claimed = await insist("POST", "/tasks/claim?num_tasks=2&lease=2", pipeline);
      for (const task of Object(claimed.json)) {
        claims.push(task.claim);
        const n = task.task_input.n;
        const body = { pipeline, task_input: { n }, status: "DONE", claim: task.claim };
        const { status } = await insist("PUT", "/tasks/", body);
        // 409: its lease ended while the server was away. Somebody else gets it, or it is done already.
        expect([200, 409]).toContain(status);
        if (status === 200) {
          expect([n, done.has(n)]).toEqual([n, false]);
          done.add(n);
        }
      }
      if (done.size >= count / 3) half.resolve();
    }
  };
  const load = Promise.all([register(0), register(1), register(2), register(3), work(), work(), work()]);
  await Promise.race([half.promise, load]);
  await server.killAll();
  await site.start({ REST_URL: server.url });
  await load;

  expect(registered.size).toBe(count);
  expect(new Set(claims).size).toBe(claims.length);
  const tasks = await insist("GET", "/tasks?pipeline_name=crash", undefined);
  expect(Object(tasks.json).map((task: unknown) => at(task, "status"))).toEqual(Array(count).fill("DONE"));
});
