import { measureRequests } from "../rounds.ts";
import type { Row } from "../row.ts";

export const store: Row = {
  name: "store",
  title: "store a vCon (POST, 16 connections)",
  unit: "/s",
  floor: 2500,
  aim: { ratio: 0.5 },
  raw: "insertsPerSecond",
  measure: (bench) =>
    measureRequests(bench, () => ({ method: "POST", path: "/vcon", body: bench.documents.next().body })),
};
