import { readdir } from "node:fs/promises";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type CallOptions } from "../../http/call.ts";
import { eventually } from "../../setup/eventually.ts";
import { startTestServer } from "../../setup/test-server.ts";
import { problem, startGateway, type TestGateway } from "./start-gateway.ts";

const services = {
  LOCAL_TEMPORARY_STORAGE: { size_limit_gb: 1 },
  WORKER_SERVICES: {
    free: { celery_queue_name: "free_queue", celery_task_name: "free", noparams: true },
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
    expect([path.status, path.text]).toEqual([201, expect.stringMatching(/\/[0-9a-f-]{36}-[^/]+\.wav$/)]);
    expect((await fetch(path.text)).status).toBe(404);
    const head = await send("HEAD", `/temporary_file/${named}`);
    expect([head.status, head.headers.get("content-length"), head.text]).toEqual([200, "6", ""]);
  });

  it("that are refused leave nothing behind, and what was there stays", async () => {
    const url = await (await upload("/temporary_file/mine.txt", ["old"])).text();
    const before = await readdir(gateway.files);
    for (const path of ["/temporary_file", "/temporary_file/mine.txt"]) {
      for (const files of [[], ["a", "b"]]) expect((await upload(path, files)).status).toBe(400);
    }
    const form = new FormData();
    form.set("json", "[]");
    form.set("audio", new Blob(["sound"]), "a.wav");
    const workflow = await fetch(`${gateway.server.url}/gateway/simple_workflow/process`, {
      method: "POST",
      body: form,
    });
    expect(workflow.status).toBe(422);
    // Forms that end in the middle of a field, and of a file.
    for (const more of ["", '; filename="f.txt"']) {
      const body = `--x\r\nContent-Disposition: form-data; name="a"${more}\r\n\r\nhalf`;
      const headers = { "content-type": "multipart/form-data; boundary=x" };
      for (const path of ["/temporary_file/mine.txt", "/simple_workflow/process", "/free/process"]) {
        expect([path, ...problem(await send("POST", path, { body, headers }))]).toEqual([path, 400, 105]);
      }
    }
    expect(await (await fetch(url)).text()).toBe("old");
    expect(await readdir(gateway.files)).toEqual(before);
  });

  it("go when their time is over", async () => {
    const other = await startGateway({
      ...services,
      LOCAL_TEMPORARY_STORAGE: { max_file_duration_seconds: 1 },
    });
    try {
      const form = new FormData();
      form.set("f", new Blob(["short"]), "f.txt");
      const made = await other.server.fetch("/gateway/temporary_file", { method: "POST", body: form });
      expect(made.status).toBe(201);
      await eventually(async () => (await readdir(other.files)).length === 0);
    } finally {
      await other.stop();
    }
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

describe("an address for a file that is still to come", () => {
  const key = "k".repeat(64);
  const guard = { GATEWAY_JWT_KEY: Buffer.from(key).toString("base64"), GATEWAY_JWT_AUDIENCE: "a" };
  const issue = async (of: TestGateway) => {
    const jwt = new SignJWT().setProtectedHeader({ alg: "HS512" }).setAudience("a").setExpirationTime("1h");
    const authorization = await jwt.sign(Buffer.from(key));
    const issued = await of.send("GET", "/temporary_upload_path?extension=txt", {
      headers: { authorization },
    });
    expect(issued.status).toBe(201);
    return issued.text;
  };
  const put = async (url: string, content = "sent") => {
    const form = new FormData();
    form.set("f", new Blob([content]), "f.txt");
    return (await fetch(url, { method: "POST", body: form })).status;
  };

  it("takes one file without a token, on every server, and none that was changed does", async () => {
    const guarded = await startGateway(services, guard);
    const other = await startTestServer({ ...guarded.env, VCON_STORAGE_URL: guarded.server.database });
    try {
      const url = await issue(guarded);
      for (const [part, changed] of [
        [/\.txt$/, ".exe"],
        [/[0-9a-f]{8}\.txt$/, "00000000.txt"],
        [/file\/.{8}/, "file/00000000"],
        [/-\d{10}-/, "-9999999999-"],
        [/file\/.*/, "file/mine.txt"],
      ] as const) {
        const wrong = url.replace(part, changed);
        expect([wrong, await put(wrong)]).toEqual([wrong, 401]);
      }
      expect(await put(url.replace(guarded.server.url, other.url))).toBe(201);
      expect(await put(url, "another")).toBe(409);
      expect(await (await fetch(url)).text()).toBe("sent");
      const both = await issue(guarded);
      expect((await Promise.all([put(both), put(both)])).sort()).toEqual([201, 409]);
    } finally {
      await other.stop();
      await guarded.stop();
    }
  });

  it("is good for as long as files are kept", async () => {
    const short = { ...services, LOCAL_TEMPORARY_STORAGE: { max_file_duration_seconds: 1 } };
    const guarded = await startGateway(short, guard);
    try {
      const url = await issue(guarded);
      await eventually(async () => (await put(url)) === 401);
    } finally {
      await guarded.stop();
    }
  });
});
