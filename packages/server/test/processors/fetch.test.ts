import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FetchGuard, type FetchGuardOptions } from "../../src/processors/fetch.ts";
import { isPublicAddress } from "../../src/processors/fetch-addresses.ts";
import { rejected } from "./thrown.ts";

const requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  const url = new URL(request.url ?? "/", "http://x");
  const to = url.searchParams.get("to");
  if (to !== null) {
    response.writeHead(Number(url.searchParams.get("status") ?? 302), { location: to }).end("moved");
  } else if (url.pathname === "/circle") {
    response.writeHead(302, { location: "/circle" }).end();
  } else if (url.pathname === "/large") {
    response.write("x".repeat(600));
    response.end("x".repeat(600));
  } else if (url.pathname === "/announced") {
    response.writeHead(200, { "content-length": 5000 }).end("x".repeat(5000));
  } else if (url.pathname === "/hang") {
    response.write("begin");
  } else if (url.pathname === "/break") {
    response.write("begin", () => response.destroy());
  } else if (url.pathname === "/nothing") {
    response.writeHead(204).end();
  } else {
    request.pipe(response);
  }
});

let base = "";
let host = "";
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  host = `127.0.0.1:${port}`;
  base = `http://${host}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const guards: FetchGuard[] = [];
function guarded(options: FetchGuardOptions = {}): FetchGuard["fetch"] {
  const guard = new FetchGuard({ allow: [host], ...options });
  guards.push(guard);
  return guard.fetch;
}
afterEach(async () => {
  requests.length = 0;
  for (const guard of guards.splice(0)) await guard.stop();
});

describe("FetchGuard", () => {
  it("fetches from a host that is allowed", async () => {
    const response = await guarded()(`${base}/`, { method: "POST", body: "hello" });
    expect([response.status, await response.text()]).toEqual([200, "hello"]);
    expect((await guarded({ allow: ["127.0.0.1"] })(`${base}/nothing`)).status).toBe(204);
  });

  it.each([
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost/",
    "http://0.0.0.0/",
  ])("refuses %s", async (url) => {
    const error = await rejected(guarded()(url));
    expect(error.code).toBe("fetch_refused");
    expect(error.message).toMatch(/is not a public address; to allow it, name the host in FETCH_ALLOW/);
  });

  it("allows a port without allowing the others", async () => {
    expect((await rejected(guarded({ allow: ["127.0.0.1:1"] })(base))).code).toBe("fetch_refused");
    expect(requests).toHaveLength(0);
  });

  it("refuses a name when any of its addresses is private", async () => {
    const lookup = async () => [
      { address: "93.184.216.34", family: 4 },
      { address: "10.0.0.1", family: 4 },
    ];
    const error = await rejected(guarded({ lookup })("http://conversations.example/"));
    expect(error.code).toBe("fetch_refused");
    expect(error.message).toContain("conversations.example refused: 10.0.0.1");
  });

  it.each([
    "file:///etc/passwd",
    "ftp://example.com/",
    "data:text/plain,x",
    "nonsense",
    "http://a:b@example.com/",
  ])("refuses %s", async (url) => {
    expect((await rejected(guarded()(url))).code).toBe("fetch_refused");
  });

  it("checks where a redirect leads", async () => {
    const to = encodeURIComponent("http://169.254.169.254/latest");
    expect((await rejected(guarded()(`${base}/?to=${to}`))).code).toBe("fetch_refused");
    expect((await rejected(guarded()(`${base}/?to=${encodeURIComponent("file:///etc/passwd")}`))).code).toBe(
      "fetch_refused",
    );
  });

  it("follows redirects as the standard says", async () => {
    const fetch = guarded();
    const post = {
      method: "POST",
      body: "hello",
      headers: { "content-type": "text/x", authorization: "key" },
    };
    expect(await (await fetch(`${base}/?to=/end&status=307`, post)).text()).toBe("hello");
    expect(await (await fetch(`${base}/?to=/end&status=303`, post)).text()).toBe("");
    expect(requests.map(({ method }) => method)).toEqual(["POST", "POST", "POST", "GET"]);
    expect(requests[1]?.headers.authorization).toBe("key");
    expect(requests[3]?.headers["content-type"]).toBeUndefined();
  });

  it("keeps credentials from another origin", async () => {
    const fetch = guarded({ allow: [host, `localhost:${host.split(":")[1]}`] });
    const to = encodeURIComponent(`http://localhost:${host.split(":")[1]}/end`);
    await fetch(`${base}/?to=${to}`, { headers: { authorization: "key", "x-other": "kept" } });
    expect(requests[1]?.headers).toMatchObject({ "x-other": "kept" });
    expect(requests[1]?.headers.authorization).toBeUndefined();
  });

  it("gives up on a circle of redirects", async () => {
    expect(await rejected(guarded()(`${base}/circle`))).toMatchObject({ code: "provider_failed" });
    expect(requests).toHaveLength(6);
  });

  it("refuses more than maxBytes, announced or not", async () => {
    const fetch = guarded({ maxBytes: 1000 });
    expect((await rejected(fetch(`${base}/announced`))).message).toContain("larger than 1000 bytes");
    const response = await fetch(`${base}/large`);
    expect((await rejected(response.text())).code).toBe("fetch_refused");
  });

  it("gives up when time is up, also in the middle of the body", async () => {
    const response = await guarded({ timeoutMs: 100 })(`${base}/hang`);
    const error = await rejected(response.text());
    expect(error.code).toBe("provider_failed");
    expect(error.message).toContain("no complete answer within 0.1 s");
  });

  it("names the host when the network fails", async () => {
    const response = await guarded()(`${base}/break`);
    expect((await rejected(response.text())).code).toBe("provider_failed");
    const error = await rejected(guarded({ allow: ["127.0.0.1"] })("http://127.0.0.1:1/?key=hidden"));
    expect(error.code).toBe("provider_failed");
    expect(error.message).toContain("127.0.0.1:1");
    expect(error.message).not.toContain("hidden");
  });

  it("lets the caller abort", async () => {
    const controller = new AbortController();
    const response = await guarded()(`${base}/hang`, { signal: controller.signal });
    controller.abort();
    await expect(response.text()).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("isPublicAddress", () => {
  it.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2001:4860:4860::8888"])(
    "%s is",
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.1.1",
    "127.9.9.9",
    "169.254.169.254",
    "172.31.0.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::ffff:7f00:1",
    "64:ff9b::a00:1",
    "fc00::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "not an address",
    "",
  ])("%s is not", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
