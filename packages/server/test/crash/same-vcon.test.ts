import { expect, test } from "vitest";
import { openSite } from "./harness.ts";
import {
  call,
  defineWork,
  followUps,
  inGroups,
  marksOf,
  names,
  queueJob,
  runs,
  store,
  storeMany,
  untilEnded,
} from "./load.ts";

test("50 jobs that each append to the same vCon, on 2 servers with 4 workers each, and a client that changes it too: nothing is lost", async () => {
  const site = await openSite({ env: { NUM_WORKERS: "4", WORK_QUEUES: "work" } });
  const [first, second] = await Promise.all([site.start(), site.start()]);
  await defineWork(first.url, { processor: "mark", options: { ms: 5 } });
  const jobs = names("job", 50);
  await store(first.url, "same");
  await storeMany(first.url, jobs);

  let writing = true;
  const written: string[] = [];
  const writer = (async () => {
    // One change after each of the others': faster, and no run would ever find the vCon as it has read it.
    let marks = -1;
    while (writing) {
      const url = written.length % 2 === 0 ? first.url : second.url;
      const read = await call("GET", `${url}/vcon/same`);
      const vcon: SharedVcon = read.body;
      if ((vcon.analysis ?? []).length === marks) continue;
      const name = `change-${written.length}`;
      const answer = await call("POST", `${url}/vcon`, {
        headers: { "if-match": read.headers.get("etag") ?? "" },
        body: { ...vcon, parties: [...vcon.parties, { name }] },
      });
      expect([204, 412]).toContain(answer.status);
      if (answer.status === 412) continue;
      written.push(name);
      marks = (vcon.analysis ?? []).length;
    }
  })();
  // A refusal of a kind that the writer does not expect is for the end of the test to throw.
  writer.catch(() => {});
  // Each job's mark is the uuid of its second vCon.
  await inGroups(jobs, (job) => queueJob(job < "job-025" ? first.url : second.url, ["same", job]));
  await untilEnded(first.url, jobs.length);
  writing = false;
  await writer;

  expect((await marksOf(second.url, "same")).toSorted()).toEqual(jobs);
  expect(await followUps(second.url)).toEqual(Array(50).fill("same"));
  expect(await runs(second.url, { outcome: "failed" })).toEqual([]);
  expect(await runs(second.url, { outcome: "crashed" })).toEqual([]);
  expect(await parties(second.url)).toEqual(["same", ...written]);
  expect(written.length).toBeGreaterThan(5);
  const servers = new Set((await runs(second.url)).map((run) => run.worker.split("#")[0]));
  expect(servers.size).toBe(2);
});

interface SharedVcon {
  readonly parties: readonly { readonly name: string }[];
  readonly analysis?: readonly object[];
}

async function parties(url: string): Promise<readonly string[]> {
  const { body } = await call("GET", `${url}/vcon/same`);
  const vcon: SharedVcon = body;
  return vcon.parties.map((party) => party.name);
}
