import { pino } from "pino";
import { expect, it, vi } from "vitest";
import { Outage } from "../../../src/gateway/celery/outage.ts";

it("is said at once, again after a minute, and when it is over", () => {
  vi.useFakeTimers();
  const said: string[] = [];
  const log = pino({}, { write: (line) => said.push(JSON.parse(line).msg) });
  const outage = new Outage({ during: "away", over: "back", log });
  outage.isOver();
  for (let seconds = 0; seconds < 90; seconds += 2) {
    outage.goesOn(new Error("refused"));
    vi.advanceTimersByTime(2000);
  }
  outage.isOver();
  outage.isOver();
  expect(said).toEqual(["away", "away", "back"]);
  vi.useRealTimers();
});
