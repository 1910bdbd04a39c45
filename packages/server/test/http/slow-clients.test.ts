import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { startApi } from "./start-api.ts";

const api = await startApi({ env: { HEADERS_TIMEOUT_SECONDS: "0.6", REQUEST_TIMEOUT_SECONDS: "1.2" } });
afterAll(() => api.stop());

async function open(): Promise<{
  readonly socket: Socket;
  readonly got: () => string;
  readonly closed: Promise<unknown>;
}> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  let got = "";
  socket.on("data", (chunk: Buffer) => {
    got += chunk.toString();
  });
  socket.on("error", () => {});
  await once(socket, "connect");
  return { socket, got: () => got, closed: once(socket, "close") };
}

/** Sends a byte now and then, until the other side has had enough. */
async function drip(socket: Socket, text: string): Promise<void> {
  for (const byte of text) {
    if (socket.destroyed || !socket.writable) return;
    socket.write(byte);
    await sleep(50);
  }
}

it("headers that come byte by byte are not waited for", async () => {
  const { socket, got, closed } = await open();
  void drip(socket, `GET /health HTTP/1.1\r\nHost: x\r\n${"X-Slow: y\r\n".repeat(100)}`);
  await closed;
  expect(got()).toMatch(/^HTTP\/1\.1 408 /);
});

it("nor are bodies", async () => {
  const { socket, got, closed } = await open();
  socket.write("POST /vcon HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  void drip(socket, "x".repeat(1000));
  await closed;
  expect(got()).toMatch(/^HTTP\/1\.1 408 /);
});

it("a connection that says nothing is closed", async () => {
  const { closed } = await open();
  await closed;
});

it("one that has asked something may ask again later", async () => {
  const { socket, got, closed } = await open();
  const ask = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
  socket.write(ask);
  await expect.poll(got).toContain('"live"');
  await sleep(1500);
  socket.write(ask);
  await expect.poll(() => got().split("HTTP/1.1 200").length).toBe(3);
  socket.end();
  await closed;
});
