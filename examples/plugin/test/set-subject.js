import assert from "node:assert/strict";
import { test } from "node:test";
import { runProcessor } from "@vconductor/server/plugin-testing";
import setSubject from "../src/set-subject.js";

const vcon = {
  vcon: "0.4.0",
  uuid: "019d0000-0000-8000-8000-000000000002",
  created_at: "2026-03-10T18:46:02Z",
  parties: [{ name: "Maya" }, { tel: "+1-555-0147" }, { name: "Daniel" }],
};

test("names the parties", async () => {
  const ran = await runProcessor(setSubject, { vcons: [vcon], options: { prefix: "Call between" } });
  assert.equal(ran.vcons[0]?.subject, "Call between Maya and Daniel");
});

test("keeps a subject that is there", async () => {
  const ran = await runProcessor(setSubject, { vcons: [{ ...vcon, subject: "Billing" }] });
  assert.deepEqual(ran.modified, [false]);
});
