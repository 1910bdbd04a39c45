import { readTags } from "@vconductor/vcon";
import { Type } from "typebox";
import { defineProcessor } from "../define.ts";

export const tagRouter = defineProcessor({
  name: "tag_router",
  title: "Route by tag",
  description:
    "Queues a job for the input vCon in the queue of each of its tags. A route ending in * takes every tag that begins " +
    "so. Each queue gets one job, however many tags lead to it. The jobs are queued when what the pipeline did is committed.",
  version: "1.0.0",
  options: Type.Object({
    routes: Type.Record(Type.String(), Type.String({ minLength: 1 }), {
      title: "routes",
      description: "Tag to queue: topic:billing to billing_team, or lang:* to translation.",
      default: {},
    }),
    otherwise: Type.String({
      title: "otherwise",
      description: "The queue for a vCon that no route takes. Empty: none.",
      default: "",
    }),
    first_only: Type.Boolean({
      title: "first only?",
      description:
        "Whether only the first route that takes the vCon counts, in the order in which they are written.",
      default: false,
    }),
  }),
  example: {
    about: "Sends complaints to people, everything else about bills to the accounts, and the rest nowhere.",
    options: { routes: { "kind:complaint": "people", "topic:bill*": "accounts" }, first_only: true },
  },
  process(io, { routes, otherwise, first_only, input_vcon_index }) {
    const tags = readTags(io.content(input_vcon_index));
    const taken = Object.entries(routes)
      .filter(([route]) => tags.some((tag) => takes(route, tag)))
      .map(([, queue]) => queue);
    const queues = new Set(first_only ? taken.slice(0, 1) : taken);
    if (queues.size === 0 && otherwise !== "") queues.add(otherwise);
    for (const queue of queues) io.queueJob({ queue, uuids: [io.uuid(input_vcon_index)] });
    return io;
  },
});

function takes(route: string, tag: string): boolean {
  return route.endsWith("*") ? tag.startsWith(route.slice(0, -1)) : tag === route;
}
