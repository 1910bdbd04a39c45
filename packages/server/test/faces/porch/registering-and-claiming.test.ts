import { afterAll, describe, expect, it } from "vitest";
import { inputIdOf } from "../../../src/ledger/task-identity.ts";
import { type Answer, at } from "../../http/call.ts";
import { makePipeline, pathOf, startPorch } from "./porch.ts";

const { api, admin, nobody } = await startPorch();
afterAll(() => api.stop());

describe("registering", () => {
  it("is done once, whatever the order of the members, and answers with what is there", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const first = await user.call("POST", "/tasks", {
      pipeline: { ...pipeline, version: "ignored" },
      task_input: { b: 1, a: 2.0 },
      status: "DONE",
      unknown: "ignored",
    });
    expect([first.status, first.text]).toEqual([
      201,
      `{"pipeline":${JSON.stringify(pipeline)},"task_input_id":"${inputIdOf('{"a":2,"b":1}')}","task_input":{"b":1,"a":2},"status":"PENDING"}`,
    ]);
    await user.put(pipeline, { a: 2, b: 1 }, "FAILED");
    const again = await user.register(pipeline, { a: 2, b: 1 });
    expect([again.status, at(again.json, "status"), JSON.stringify(at(again.json, "task_input"))]).toEqual([
      200,
      "FAILED",
      '{"b":1,"a":2}',
    ]);
    const other = await makePipeline(admin);
    expect((await other.user.register(other.pipeline, { a: 2, b: 1 })).status).toBe(201);
  });

  it("keeps the input as it is spelled: large numbers, 1.0, order", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const input = '{"2": 123456789012345678901234567890, "1":1.0,"e":"\\u00e9\\u0000"}';
    const body = `{"status":"PENDING","task_input": ${input} ,"pipeline":${JSON.stringify(pipeline)}}`;
    const made = await user.call("POST", "/tasks/", body);
    expect(made.text).toContain(`"task_input":${input},`);
    expect((await user.call("POST", "/tasks/", body.replace("1.0", "1"))).status).toBe(201);
    expect((await nobody.call("GET", `/tasks?pipeline_name=${pipeline.name}`)).text).toContain(input);
  });

  it("16 at once: one 201 and fifteen 200", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 16 }, () => user.register(pipeline, { round })));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(15).fill(200), 201]);
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    }
    const tasks = await nobody.call("GET", `/tasks?pipeline_name=${pipeline.name}`);
    expect(tasks.json).toHaveLength(5);
    expect((await user.claim(pipeline, "?num_tasks=99")).json).toHaveLength(5);
  });

  it("takes inputs of up to a million characters", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const input = (length: number) => ({ text: "x".repeat(length - '{"text":""}'.length) });
    expect((await user.register(pipeline, input(2 ** 20))).status).toBe(201);
    const refused = await user.register(pipeline, input(2 ** 20 + 1));
    expect([refused.status, refused.json]).toEqual([
      413,
      { detail: "task_input is larger than the limit of 1048576 characters" },
    ]);
  });

  it("needs an input, and a status", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (const body of [
      { pipeline, status: "PENDING" },
      { pipeline, task_input: null, status: "PENDING" },
      { pipeline, task_input: [1], status: "PENDING" },
      { pipeline, task_input: {} },
      { pipeline, task_input: {}, status: "pending" },
      { task_input: {}, status: "PENDING" },
    ]) {
      expect([body, (await user.call("POST", "/tasks/", body)).status]).toEqual([body, 422]);
    }
    expect((await nobody.call("GET", `/tasks?pipeline_name=${pipeline.name}`)).json).toEqual([]);
  });
});

describe("claiming", () => {
  it("hands out the oldest first, up to as many as wanted, of one pipeline", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const other = await makePipeline(admin);
    await other.user.register(other.pipeline, { of: "other" });
    for (const n of [1, 2, 3]) await user.register(pipeline, { n });
    const one = await user.claim(pipeline);
    expect([one.status, one.json]).toEqual([
      200,
      [
        {
          pipeline,
          task_input_id: expect.stringMatching(/^[0-9a-f]{64}$/),
          task_input: { n: 1 },
          status: "CLAIMED",
        },
      ],
    ]);
    const rest = await user.call("POST", "/tasks/claim/?num_tasks=10", pipeline);
    expect(Object(rest.json).map((task: unknown) => at(task, "task_input", "n"))).toEqual([2, 3]);
    expect((await user.claim(pipeline)).json).toEqual([]);
    // One that is PENDING again keeps its age.
    await user.register(pipeline, { n: 4 });
    for (const n of [2, 1]) await user.put(pipeline, { n }, "PENDING");
    await user.put(pipeline, { n: 3 }, "FAILED");
    await user.put(pipeline, { n: 3 }, "PENDING");
    const again = await user.claim(pipeline, "?num_tasks=10");
    expect(Object(again.json).map((task: unknown) => at(task, "task_input", "n"))).toEqual([1, 2, 3, 4]);
  });

  it("36 at once: 36 different tasks, and no error", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 36 }, (_, n) => user.register(pipeline, { round, n })));
      const answers = await Promise.all(Array.from({ length: 36 }, () => user.claim(pipeline)));
      expect(answers.map(({ status }) => status)).toEqual(Array(36).fill(200));
      expect(new Set(answers.map(({ json }) => at(json, 0, "task_input", "n"))).size).toBe(36);
    }
  });

  it("refuses what is no number of tasks", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (const query of [
      "?num_tasks=0",
      "?num_tasks=-1",
      "?num_tasks=x",
      "?num_tasks=",
      "?num_tasks=1.5",
      "?lease=0",
    ])
      expect([query, (await user.claim(pipeline, query)).status]).toEqual([query, 422]);
    expect((await user.call("POST", "/tasks/claim")).status).toBe(422);
    expect((await admin.claim(pipeline)).status).toBe(403);
  });

  it.each(["", "&lease=600"])(
    "while few tasks are changed again and again: no deadlock, nothing twice (%s)",
    async (lease) => {
      const { pipeline, user } = await makePipeline(admin);
      const count = 12;
      await Promise.all(Array.from({ length: count }, (_, n) => user.register(pipeline, { n })));
      const rounds = async (times: number, act: (round: number) => Promise<Answer>) => {
        const answers: Answer[] = [];
        for (let round = 0; round < times; round++) answers.push(await act(round));
        return answers;
      };
      const claims = Array.from({ length: 8 }, () =>
        rounds(30, () => user.claim(pipeline, `?num_tasks=3${lease}`)),
      );
      const states = ["PENDING", "FAILED", "PENDING", "RUNNING", "PENDING"];
      const changes = Array.from({ length: 16 }, (_, lane) =>
        rounds(30, (round) =>
          user.put(pipeline, { n: (lane * 5 + round * 7) % count }, states[(lane + round) % 5] ?? "DONE"),
        ),
      );
      const answers = (await Promise.all([...claims, ...changes])).flat();
      expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
      // What is PENDING can be claimed, once, and nothing else can.
      const pending = await nobody.call("GET", `/tasks?pipeline_name=${pipeline.name}&status=PENDING`);
      const claimable = await user.claim(pipeline, "?num_tasks=1000");
      const named = (list: unknown) =>
        Object(list)
          .map((task: unknown) => at(task, "task_input", "n"))
          .toSorted();
      expect(named(claimable.json)).toEqual(named(pending.json));
    },
  );
});

// As npg_notifications does: one run registers everything recent again and again, another takes one at a time.
it("a notifier registers the same states in every run, and each is notified once", async () => {
  const { pipeline, user } = await makePipeline(admin);
  const notified: number[] = [];
  const notify = async (fails: boolean) => {
    const claimed = await user.claim(pipeline);
    const n = at(claimed.json, 0, "task_input", "n");
    if (typeof n !== "number") return false;
    if (!fails) notified.push(n);
    expect((await user.put(pipeline, { n }, fails ? "PENDING" : "DONE")).status).toBe(200);
    return true;
  };
  for (const [run, recent] of [
    [1, 2, 3],
    [2, 3, 4, 1],
    [4, 5],
  ].entries()) {
    for (const n of recent) {
      const { status } = await user.register(pipeline, { n });
      expect([run, n, status]).toEqual([run, n, run === 0 || n > run + 2 ? 201 : 200]);
    }
    // The first attempt fails, and is made again: it is the oldest.
    await notify(true);
    while (await notify(false));
  }
  expect(notified).toEqual([1, 2, 3, 4, 5]);
  const events = await nobody.call("GET", `${pathOf(pipeline, { n: 4 })}/events`);
  expect(Object(events.json).map((event: unknown) => at(event, "change"))).toEqual([
    "Created",
    "Task claimed",
    "Task changed, new status PENDING",
    "Task claimed",
    "Task changed, new status DONE",
  ]);
});
