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
    for (let number = 0; writing; number++) {
      const name = `change-${number}`;
      if (await appendParty(number % 2 === 0 ? first.url : second.url, name)) written.push(name);
    }
  })();
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

/** Reads the vCon and writes it with one more party, if it is still as it was. Answers whether it was. */
async function appendParty(url: string, name: string): Promise<boolean> {
  const read = await call("GET", `${url}/vcon/same`);
  const vcon = read.body as { readonly parties: readonly object[] };
  const answer = await call("POST", `${url}/vcon`, {
    headers: { "if-match": read.headers.get("etag") ?? "" },
    body: { ...vcon, parties: [...vcon.parties, { name }] },
  });
  expect([204, 412]).toContain(answer.status);
  return answer.status === 204;
}

async function parties(url: string): Promise<readonly string[]> {
  const { body } = await call("GET", `${url}/vcon/same`);
  const vcon = body as { readonly parties: readonly { readonly name: string }[] };
  return vcon.parties.map((party) => party.name);
}
