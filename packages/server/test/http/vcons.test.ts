import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { at } from "./call.ts";
import { encryptedVcon, signedVcon, vcon } from "./documents.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
});
afterAll(() => server.stop());

const post = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  server.call("POST", "/vcon", { body, headers });
const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  server.call("GET", `/vcon/${path}`, { headers });

describe("POST /vcon", () => {
  it("stores and replaces, and answers 204 without a body", async () => {
    for (const subject of ["first", "second"]) {
      const answer = await post(vcon("replaced", { subject }));
      expect([answer.status, answer.text]).toEqual([204, ""]);
      expect((await get("replaced")).json).toMatchObject({ subject });
    }
    expect((await get("replaced")).headers.get("etag")).toBe('"2"');
  });

  it("takes signed and encrypted vCons as they are", async () => {
    for (const document of [signedVcon("signed-1"), encryptedVcon("encrypted-1")]) {
      expect((await post(document)).status).toBe(204);
    }
    expect((await get("signed-1")).text).toBe(JSON.stringify(signedVcon("signed-1")));
    expect((await get("encrypted-1")).text).toBe(JSON.stringify(encryptedVcon("encrypted-1")));
    // The uuid of a JWS may also be in its payload alone, and one may be added at the top.
    const [{ header: _, ...bare } = { header: {} }] = signedVcon("signed-2").signatures;
    expect((await post({ ...signedVcon("signed-2"), signatures: [{ header: {}, ...bare }] })).status).toBe(
      204,
    );
    expect((await get("signed-2")).status).toBe(200);
    expect((await post({ uuid: "signed-3", ...signedVcon("signed-3") })).status).toBe(204);
    expect((await get("signed-3")).status).toBe(200);
    const listed = (await server.call("GET", "/vcons?limit=1000")).json;
    expect(at(listed, "vcons")).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ uuid: "signed-1", form: "signed" }),
        expect.objectContaining({ uuid: "encrypted-1", form: "encrypted" }),
      ]),
    );
  });

  it.each(["0.0.1", "0.0.2", "0.3.0", "0.4.0"])("takes version %s", async (version) => {
    expect((await post(vcon(`version-${version}`, { vcon: version }))).status).toBe(204);
    expect((await get(`version-${version}`)).json).toMatchObject({ vcon: version });
  });

  it("refuses what is no vCon, in the form of the reference", async () => {
    const noUuid = await post({ ...vcon("x"), uuid: "" });
    expect([noUuid.status, noUuid.json]).toMatchObject([422, { detail: "vCon UUID: not set" }]);
    const cases: readonly (readonly [unknown, string | undefined])[] = [
      [vcon("x", { vcon: "9.9.9" }), "UnsupportedVconVersion"],
      [{ uuid: "x", n: 1 }, "InvalidVconJson"],
      [vcon("x", { parties: "all" }), "InvalidVconJson"],
      [vcon("x", { parties: [{ tel: 1234 }] }), "InvalidVconJson"],
      [vcon("x", { created_at: -1 }), "InvalidVconJson"],
      [vcon("x", { dialog: [1] }), "InvalidVconJson"],
      [{ vcon: "0.3.0", parties: [] }, undefined],
      [[], undefined],
      ["just text", undefined],
      ["7", undefined],
      ["null", undefined],
      ['{"uuid":"x"', undefined],
      ["", undefined],
    ];
    for (const [body, exceptionClass] of cases) {
      const answer = await post(body);
      expect([body, answer.status]).toEqual([body, 422]);
      if (exceptionClass !== undefined)
        expect(answer.json).toMatchObject({ exception_class: exceptionClass });
    }
    expect((await get("x")).status).toBe(404);
  });
});

describe("GET and DELETE /vcon/{uuid}", () => {
  it("has the documented texts and statuses for a missing one", async () => {
    const missing = await get("bogus_UUID");
    expect([missing.status, missing.json]).toMatchObject([
      404,
      { detail: "vCon UUID: bogus_UUID not found" },
    ]);
    expect((await server.call("DELETE", "/vcon/bogus_UUID")).status).toBe(204);
    await post(vcon("deleted"));
    expect((await server.call("DELETE", "/vcon/deleted")).text).toBe("");
    expect((await get("deleted")).status).toBe(404);
    await post(vcon("deleted"));
    expect((await get("deleted")).status).toBe(200);
  });

  it("converts for clients of another version", async () => {
    const old = {
      vcon: "0.0.1",
      uuid: "old",
      created_at: "2023-05-31T20:23:00+00:00",
      parties: [{ tel: "+1" }],
      dialog: [
        {
          type: "text",
          start: "2023-05-31T20:23:00+00:00",
          parties: 0,
          mimetype: "text/plain",
          body: "hello",
          encoding: "none",
        },
      ],
      analysis: [
        { type: "summary", dialog: 0, vendor: "v", mimetype: "text/plain", body: "s", encoding: "none" },
      ],
    };
    await post(old);
    expect((await get("old")).json).toEqual(old);
    const converted = await get("old?version=0.0.2");
    expect(converted.json).toMatchObject({
      vcon: "0.0.2",
      dialog: [{ mediatype: "text/plain", body: "hello" }],
      analysis: [{ mediatype: "text/plain" }],
    });
    expect(at(converted.json, "dialog", 0)).not.toHaveProperty("mimetype");
    for (const version of ["0.3.0", "0.4.0"]) {
      expect((await get(`old?version=${version}`)).json).toMatchObject({ vcon: version });
    }
    for (const version of ["0.0.1", "nonsense", ""]) {
      expect([version, (await get(`old?version=${version}`)).status]).toEqual([version, 422]);
    }
    // The same revision in another version is another representation.
    expect(converted.headers.get("etag")).not.toBe((await get("old")).headers.get("etag"));
    const known = await get("old?version=0.0.2", { "if-none-match": converted.headers.get("etag") ?? "" });
    expect(known.status).toBe(304);
  });

  it("returns signed and encrypted ones as they are, or says that it cannot convert them", async () => {
    await post(signedVcon("signed-v"));
    await post(encryptedVcon("encrypted-v"));
    for (const uuid of ["signed-v", "encrypted-v"]) {
      const answer = await get(`${uuid}?version=0.0.2`);
      expect([200, 422]).toContain(answer.status);
      if (answer.status === 200) expect(answer.text).toBe((await get(uuid)).text);
    }
  });
});

describe("conditions", () => {
  it("of writes: If-Match and If-None-Match", async () => {
    expect((await post(vcon("cond"), { "if-match": "*" })).status).toBe(412);
    expect((await post(vcon("cond"), { "if-match": '"1"' })).status).toBe(412);
    expect((await get("cond")).status).toBe(404);
    expect((await post(vcon("cond"), { "if-none-match": "*" })).headers.get("etag")).toBe('"1"');
    const again = await post(vcon("cond"), { "if-none-match": "*" });
    expect([again.status, again.json]).toMatchObject([412, { code: "revision_mismatch" }]);
    expect((await post(vcon("cond"), { "if-match": '"7", "1"' })).headers.get("etag")).toBe('"2"');
    expect((await post(vcon("cond"), { "if-match": '"1"' })).status).toBe(412);
    expect((await post(vcon("cond"), { "if-match": "*" })).headers.get("etag")).toBe('"3"');
    for (const [name, value] of [
      ["if-match", "3"],
      ["if-match", 'W/"3"'],
      ["if-match", ""],
      ["if-none-match", '"3"'],
    ] as const) {
      const answer = await post(vcon("cond"), { [name]: value });
      expect([name, value, answer.status]).toEqual([name, value, 422]);
    }
    expect((await get("cond")).headers.get("etag")).toBe('"3"');
  });

  it("of deletes", async () => {
    await post(vcon("cond-delete"));
    const remove = (match: string) =>
      server.call("DELETE", "/vcon/cond-delete", { headers: { "if-match": match } });
    expect((await remove('"2"')).status).toBe(412);
    expect((await remove('"1"')).status).toBe(204);
    expect((await remove('"1"')).status).toBe(412);
  });

  it("of reads: If-None-Match", async () => {
    await post(vcon("cond-read"));
    for (const known of ['"1"', 'W/"1"', '"5", "1"', "*"]) {
      const answer = await get("cond-read", { "if-none-match": known });
      expect([known, answer.status, answer.text, answer.headers.get("etag")]).toEqual([
        known,
        304,
        "",
        '"1"',
      ]);
    }
    for (const other of ['"2"', "1", "junk"]) {
      expect([other, (await get("cond-read", { "if-none-match": other })).status]).toEqual([other, 200]);
    }
  });

  it("let one of many writers through", async () => {
    await post(vcon("race"));
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        post(vcon("race", { subject: `writer ${n}` }), { "if-match": '"1"' }),
      ),
    );
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(11);
    expect((await get("race")).headers.get("etag")).toBe('"2"');
  });
});

describe("jq and jsonpath", () => {
  const ask = (uuid: string, kind: "jq" | "jsonpath", text: string) =>
    get(`${uuid}/${kind}?${kind === "jq" ? "jq_transform" : "path_string"}=${encodeURIComponent(text)}`);

  beforeAll(async () => {
    await post(vcon("asked", { parties: [{ tel: "+1" }, { tel: "+2", name: null }], subject: "a" }));
    await post(signedVcon("asked-signed"));
    await post(encryptedVcon("asked-encrypted"));
    await post({
      ...vcon("asked-old", { vcon: "0.0.1" }),
      dialog: [
        { type: "text", start: "2023-01-01T00:00:00Z", parties: 0, mimetype: "text/plain", body: "hi" },
      ],
    });
  });

  it("answer with all outputs of a jq program", async () => {
    expect((await ask("asked", "jq", ".parties[].tel")).json).toEqual(["+1", "+2"]);
    expect((await ask("asked", "jq", "empty")).json).toEqual([]);
    expect((await ask("asked", "jq", "(.parties|length), .subject, null")).json).toEqual([2, "a", null]);
    expect((await ask("asked-encrypted", "jq", ".unprotected.cty")).json).toEqual(["application/vcon+json"]);
  });

  it("shows a jq program the newest form, and a JSONPath the stored one", async () => {
    expect((await ask("asked-old", "jq", '.dialog[0]|.mediatype, has("mimetype")')).json).toEqual([
      "text/plain",
      false,
    ]);
    expect((await ask("asked-old", "jsonpath", "$.dialog[*].mimetype")).json).toEqual(["text/plain"]);
  });

  it("answer with the matches of a JSONPath", async () => {
    expect((await ask("asked", "jsonpath", "$.parties")).json).toEqual([
      [{ tel: "+1" }, { tel: "+2", name: null }],
    ]);
    expect((await ask("asked", "jsonpath", "$.none")).json).toEqual([]);
    expect((await ask("asked", "jsonpath", ".parties[1].tel")).json).toBe("+2");
    expect((await ask("asked", "jsonpath", "parties[1].tel")).json).toBe("+2");
    expect((await ask("asked", "jsonpath", "none")).status).toBe(422);
  });

  it("refuse what they cannot do with 4xx, where the reference failed", async () => {
    for (const kind of ["jq", "jsonpath"] as const) {
      const missing = await ask("nobody", kind, "$.a");
      expect([missing.status, missing.json]).toMatchObject([404, { detail: "vCon UUID: nobody not found" }]);
      const without = await get(`asked/${kind}`);
      expect([without.status, without.json]).toMatchObject([422, { detail: [{ type: "missing" }] }]);
    }
    for (const program of [".[", 'error("no")', ".parties.tel", 'import "a" as a; .', "$ENV.PATH | .x"]) {
      const answer = await ask("asked", "jq", program);
      expect([program, answer.status, answer.json]).toMatchObject([
        program,
        422,
        { exception_class: "ScriptRuntimeError" },
      ]);
    }
    const signed = await ask("asked-signed", "jq", ".");
    expect([signed.status, signed.json]).toMatchObject([422, { exception_class: "InvalidVconState" }]);
    for (const path of ["$[", "$..", "$[?(@.a =~ 1)]"]) {
      expect([path, (await ask("asked", "jsonpath", path)).status]).toEqual([path, 422]);
    }
  });

  it("show a jq program nothing of the server", async () => {
    const [shown] = JSON.parse((await ask("asked", "jq", "[$ENV, env, input_filename]")).text);
    expect(JSON.stringify(shown)).not.toMatch(/VCON_STORAGE_URL|postgres|vitest|node_modules/i);
  });
});

describe("GET /vcons", () => {
  const list = async (query: string) => (await server.call("GET", `/vcons?${query}`)).json;
  const uuids = async (query: string) => {
    const found = at(await list(query), "vcons");
    return Array.isArray(found) ? found.map((entry) => at(entry, "uuid")) : undefined;
  };

  beforeAll(async () => {
    const day = (n: number) => `2025-02-0${n}T12:00:00Z`;
    const documents = [
      vcon("l1", {
        created_at: day(1),
        subject: "Broken modem",
        parties: [{ tel: "+15550001", name: "Ada" }],
      }),
      vcon("l2", { created_at: day(2), subject: "Invoice", parties: [{ mailto: "bob@example.org" }] }),
      vcon("l3", {
        created_at: day(3),
        subject: "Broken phone",
        parties: [{ tel: "+15550001" }, { mailto: "bob@example.org", name: "Bob" }],
        dialog: [
          {
            type: "text",
            start: day(3),
            parties: 0,
            mediatype: "text/plain",
            body: "pineapple",
            encoding: "none",
          },
        ],
      }),
      vcon("l4", { created_at: day(4), subject: "Nothing", parties: [{ name: "Eve" }] }),
    ];
    for (const document of documents) expect((await post(document)).status).toBe(204);
  });

  it("lists the newest first, with what is needed to choose", async () => {
    expect(await uuids("since=2025-02-01&until=2025-02-28")).toEqual(["l4", "l3", "l2", "l1"]);
    expect(at(await list("since=2025-02-01&until=2025-02-28"), "vcons", 1)).toMatchObject({
      uuid: "l3",
      form: "unsigned",
      subject: "Broken phone",
      revision: 1,
      parties: expect.arrayContaining(["tel:+15550001", "mailto:bob@example.org"]),
      size: expect.any(Number),
    });
  });

  it("filters by party, time, subject and text; all must hold", async () => {
    const span = "since=2025-02-01&until=2025-02-28";
    expect(await uuids(`${span}&tel=${encodeURIComponent("+15550001")}`)).toEqual(["l3", "l1"]);
    expect(await uuids(`${span}&mailto=bob@example.org`)).toEqual(["l3", "l2"]);
    expect(await uuids(`${span}&name=eve`)).toEqual(["l4"]);
    expect(await uuids(`${span}&subject=broken`)).toEqual(["l3", "l1"]);
    expect(await uuids(`${span}&subject=broken&mailto=bob@example.org`)).toEqual(["l3"]);
    expect(await uuids("since=2025-02-02T12:00:00Z&until=2025-02-03T12:00:00Z")).toContain("l2");
    expect(await uuids(`${span}&subject=${encodeURIComponent("%")}`)).toEqual([]);
    await expect.poll(() => uuids("text=pineapple"), { timeout: 20_000 }).toEqual(["l3"]);
  });

  it("pages with a cursor that no later document disturbs", async () => {
    const query = "since=2025-02-01&until=2025-02-28&limit=3";
    const first = await list(query);
    await post(vcon("l0", { created_at: "2025-02-20T00:00:00Z" }));
    const second = await list(`${query}&cursor=${at(first, "next")}`);
    expect(at(second, "vcons", 0, "uuid")).toBe("l1");
    expect(second).toMatchObject({ next: null });
  });

  it("refuses filters that make no sense", async () => {
    for (const query of [
      "limit=0",
      "limit=1001",
      "limit=x",
      "since=yesterday",
      "cursor=%7B",
      "tel=",
      "text=%00",
    ]) {
      expect([query, (await server.call("GET", `/vcons?${query}`)).status]).toEqual([query, 422]);
    }
  });
});
