import { expect, test } from "vitest";
import { openSite } from "./harness.ts";

// What an operator reads when the server does not start: what is wrong and what to do, and no more.

const stackTrace = /^\s+at .*(?:\.ts|\.js|node:)/m;

test("a port that is taken: its number, and how to choose another", async () => {
  const site = await openSite();
  const server = await site.start();
  const { port } = new URL(server.url);
  const { code, stderr } = await site.command(["serve"], { REST_URL: server.url });
  expect(code).toBe(1);
  expect(stderr).toContain(`Port ${port}`);
  expect(stderr).toMatch(/choose another port: REST_URL=/);
  expect(stderr).not.toMatch(stackTrace);
  // The one that holds the port has not noticed.
  expect((await fetch(`${server.url}/servers`)).status).toBe(200);
  expect(Object.keys(JSON.parse(await (await fetch(`${server.url}/servers`)).text()))).toHaveLength(1);
});

test("bad settings: all of them at once, each with its value and what would be valid", async () => {
  const site = await openSite();
  const { code, stdout, stderr } = await site.command(["serve"], {
    NUM_WORKERS: "many",
    LEASE_SECONDS: "1",
    REST_URL: "nowhere",
    QUEUE_DB_URL: "mongodb://127.0.0.1/x",
  });
  expect(code).toBe(1);
  expect(stdout).toBe("");
  for (const named of ['NUM_WORKERS="many"', 'LEASE_SECONDS="1"', 'REST_URL="nowhere"', "QUEUE_DB_URL="]) {
    expect(stderr).toContain(named);
  }
  // An unknown scheme lists the known ones.
  expect(stderr).toMatch(/QUEUE_DB_URL=.*embedded.*postgres/);
  expect(stderr).toMatch(/4 settings are not valid/);
  expect(stderr).not.toMatch(stackTrace);
  expect((await site.command(["check"], { LEASE_SECONDS: "1" })).code).toBe(1);
});

test("MIGRATE=off on an empty database: refused with the command that helps, and then it does", async () => {
  const site = await openSite();
  const refused = await site.command(["serve"], { MIGRATE: "off" });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("vconductor migrate");
  expect(refused.stderr).not.toMatch(stackTrace);
  expect(await site.command(["migrate"])).toMatchObject({ code: 0, stderr: "" });
  await site.start({ MIGRATE: "off" });
});

test("a database that is not there, or a password that is wrong: which settings to look at", async () => {
  const site = await openSite();
  const url = new URL(await site.database());
  url.password = "wrong";
  const { code, stderr } = await site.command(["serve"], { VCON_STORAGE_URL: url.href });
  expect(code).toBe(1);
  expect(stderr).toMatch(/cannot be used:.*password/);
  expect(stderr).toContain("VCON_STORAGE_URL");
  expect(stderr).not.toContain("wrong@");
  expect(stderr).not.toMatch(stackTrace);
});
