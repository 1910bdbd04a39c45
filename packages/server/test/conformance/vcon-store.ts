import { readVcon } from "@vconductor/vcon";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { everything as viewer } from "../../src/access/principal.ts";
import type { Transaction } from "../../src/database/database.ts";
import type { VconFilter, VconStore, VconWrite } from "../../src/vcons/vcon-store.ts";

export interface VconStoreUnderTest {
  readonly vcons: VconStore;
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

function write(uuid: string, more: object = {}): VconWrite {
  const body = JSON.stringify({ uuid, parties: [], ...more });
  return { uuid, form: "unsigned", body, value: readVcon(body).value };
}

/** What every implementation of `VconStore` promises. `open` gives an empty one. */
export function describeVconStore(name: string, open: () => Promise<VconStoreUnderTest>): void {
  describe(name, () => {
    let under: VconStoreUnderTest;
    let vcons: VconStore;
    beforeAll(async () => {
      under = await open();
      vcons = under.vcons;
    });
    afterAll(() => under.close());

    test("stores the very text, and counts revisions", async () => {
      const body =
        '{ "uuid":"exact", "parties":[], "n": 1.0, "big":12345678901234567890, "e":1e400, "nul":"\\u0000" }';
      const given: VconWrite = { uuid: "exact", form: "unsigned", body, value: readVcon(body).value };
      expect(await vcons.put(given, { viewer })).toEqual({ revision: 1, created: true });
      expect(await vcons.put(given, { viewer })).toEqual({ revision: 2, created: false });
      expect(await vcons.get("exact", { viewer })).toMatchObject({ body, form: "unsigned", revision: 2 });
      await expect(vcons.get("none", { viewer })).rejects.toMatchObject({
        code: "vcon_not_found",
        message: "vCon UUID: none not found",
      });
      expect([...(await vcons.getMany(["exact", "none", "exact"], { viewer })).keys()]).toEqual(["exact"]);
    });

    test("writes of one uuid at the same moment take turns", async () => {
      const results = await Promise.all(
        Array.from({ length: 60 }, (_, n) => vcons.put(write("busy", { n }), { viewer })),
      );
      expect(results.map((result) => result.revision).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 60 }, (_, n) => n + 1),
      );
      expect((await vcons.get("busy", { viewer })).revision).toBe(60);
    });

    test("conditions hold or nothing is written", async () => {
      await vcons.put(write("cond"), { viewer });
      const refused = { code: "revision_mismatch" };
      await expect(vcons.put(write("cond"), { viewer, ifAbsent: true })).rejects.toMatchObject(refused);
      await expect(vcons.put(write("cond"), { viewer, ifMatch: [7] })).rejects.toMatchObject(refused);
      await expect(vcons.put(write("fresh"), { viewer, ifMatch: "*" })).rejects.toMatchObject(refused);
      expect((await vcons.put(write("cond"), { viewer, ifMatch: [7, 1] })).revision).toBe(2);
      expect((await vcons.put(write("cond"), { viewer, ifMatch: "*" })).revision).toBe(3);
      await expect(vcons.delete("cond", { viewer, ifMatch: [1] })).rejects.toMatchObject(refused);
      expect(await vcons.delete("cond", { viewer, ifMatch: [3] })).toBe(true);
      expect(await vcons.delete("cond", { viewer })).toBe(false);
    });

    test("of two first writes at the same moment one wins", async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, () => vcons.put(write("first"), { viewer, ifAbsent: true })),
      );
      expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
    });

    test("a change is refused over anything but what it was computed from", async () => {
      await vcons.put(write("change"), { viewer });
      const { revision, generation } = await vcons.get("change", { viewer });
      const look = () =>
        under.transaction(async (tx) => [
          ...(await vcons.lockForChange(tx, [{ uuid: "change", revision, generation }])),
        ]);
      expect(await look()).toEqual([]);
      await vcons.put(write("change"), { viewer });
      expect(await look()).toEqual(["change"]);
      await vcons.delete("change", { viewer });
      expect(await look()).toEqual(["change"]);
      // Stored anew under the same uuid, at the same revision, it is still not the one that was read.
      await vcons.put(write("change"), { viewer });
      expect((await vcons.get("change", { viewer })).revision).toBe(revision);
      expect(await look()).toEqual(["change"]);
    });

    test("changes are written with their transaction, or not at all", async () => {
      const change = { ...write("made"), stored: undefined, viewer };
      const rolledBack = under.transaction(async (tx) => {
        await vcons.writeIn(tx, [change]);
        throw new Error("no");
      });
      await expect(rolledBack).rejects.toThrow("no");
      expect((await vcons.getMany(["made"], { viewer })).size).toBe(0);
      await under.transaction((tx) => vcons.writeIn(tx, [change]));
      expect((await vcons.get("made", { viewer })).revision).toBe(1);
    });

    test("lists the newest first, in pages, by what is asked for", async () => {
      const ann = { name: "Ann Lee", tel: "+1 555 0100", mailto: "Ann@Example.com" };
      for (const [uuid, day] of [
        ["l1", "01"],
        ["l2", "02"],
        ["l3", "03"],
      ] as const) {
        await vcons.put(
          write(uuid, {
            created_at: `2031-01-${day}T00:00:00Z`,
            subject: `Call ${day} about invoices`,
            parties: uuid === "l2" ? [ann] : [],
            dialog: [
              {
                type: "text",
                start: "2031-01-01T00:00:00Z",
                parties: 0,
                mediatype: "text/plain",
                encoding: "none",
                body: `word${day} zebra`,
              },
            ],
          }),
          { viewer },
        );
      }
      const since = new Date("2031-01-01T00:00:00Z");
      const list = async (filter: Partial<VconFilter>) =>
        (await vcons.list({ viewer, since, limit: 10, ...filter })).map((vcon) => vcon.uuid);
      expect(await list({})).toEqual(["l3", "l2", "l1"]);
      expect(await list({ limit: 2 })).toEqual(["l3", "l2"]);
      expect(await list({ after: { createdAt: new Date("2031-01-02T00:00:00Z"), uuid: "l2" } })).toEqual([
        "l1",
      ]);
      expect(await list({ until: new Date("2031-01-03T00:00:00Z") })).toEqual(["l2", "l1"]);
      expect(await list({ tel: "tel:+15550100" })).toEqual(["l2"]);
      expect(await list({ mailto: "ann@example.com" })).toEqual(["l2"]);
      expect(await list({ name: "ann lee" })).toEqual(["l2"]);
      expect(await list({ subject: "invoices 03" })).toEqual(["l3"]);
      expect(await list({ subject: "100%" })).toEqual([]);
      expect(await list({ text: "zebra" })).toEqual(["l3", "l2", "l1"]);
      expect(await list({ text: "word01" })).toEqual(["l1"]);
      await vcons.put(write("l1", { created_at: "2031-01-01T00:00:00Z", subject: "quite different" }), {
        viewer,
      });
      expect(await list({ text: "word01" })).toEqual([]);
    });
  });
}
