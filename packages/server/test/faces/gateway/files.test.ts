import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type CallOptions } from "../../http/call.ts";
import { startGateway, type TestGateway } from "./start-gateway.ts";

const services = {
  LOCAL_TEMPORARY_STORAGE: { size_limit_gb: 1 },
  WORKER_SERVICES: {
    simple_workflow: { celery_queue_name: "workflow_queue", celery_task_name: "workflow" },
  },
};

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway(services);
});
afterAll(() => gateway.stop());

const send = (method: string, path: string, options?: CallOptions) => gateway.send(method, path, options);

describe("temporary files", () => {
  const upload = async (path: string, files: readonly string[]) => {
    const form = new FormData();
    for (const [index, content] of files.entries())
      form.set(`f${index}`, new Blob([content]), `name ${index}.WAV`);
    return await fetch(`${gateway.server.url}/gateway${path}`, { method: "POST", body: form });
  };

  it("are kept under a name of their own, or one that is given", async () => {
    const made = await upload("/temporary_file", ["one"]);
    const url = await made.text();
    expect([made.status, url]).toEqual([
      201,
      expect.stringMatching(/\/gateway\/temporary_file\/[0-9a-f-]{36}\.WAV$/),
    ]);
    expect(await (await fetch(url)).text()).toBe("one");
    const named = encodeURIComponent("../../etc/passwd");
    const first = await upload(`/temporary_file/${named}`, ["first"]);
    await upload(`/temporary_file/${named}`, ["second"]);
    const got = await fetch(await first.text());
    expect([await got.text(), got.headers.get("content-disposition")]).toEqual(["second", "attachment"]);
    const path = await send("GET", "/temporary_upload_path?extension=../wav");
    expect([path.status, path.text]).toEqual([201, expect.stringMatching(/[0-9a-f-]{36}\.wav$/)]);
    expect((await fetch(path.text)).status).toBe(404);
    expect((await upload("/temporary_file", [])).status).toBe(400);
    expect((await upload("/temporary_file", ["a", "b"])).status).toBe(400);
  });

  it("go with a workflow, whose worker gets their addresses", async () => {
    const form = new FormData();
    const steps = { services: [{ service_name: "stub", url: "audio", dest: { audio: "s__1.wav__e" } }] };
    form.set("json", JSON.stringify(steps));
    form.set("audio", new Blob(["sound"]), "a.wav");
    const posted = await fetch(`${gateway.server.url}/gateway/simple_workflow/process`, {
      method: "POST",
      body: form,
    });
    expect(posted.status).toBe(200);
    const claimed = await gateway.server.call("POST", "/work/workflow_queue/claim", {
      body: { worker: "w", wait: 30 },
    });
    const job = at(claimed.json, "jobs", 0);
    const misc = at(job, "payload", "service", "misc");
    expect(misc).toMatchObject({
      services: [{ service_name: "stub", dest: { audio: "s__1.wav__e" } }],
      stateful: false,
      sg_url: `${gateway.server.url}/gateway`,
    });
    expect(await (await fetch(String(at(misc, "services", 0, "url")))).text()).toBe("sound");
    const empty = await fetch(`${gateway.server.url}/gateway/simple_workflow/process`, {
      method: "POST",
      body: new FormData(),
    });
    expect(empty.status).toBe(422);
  });
});
