import { type JsonObject, type JsonValue, migrate } from "@vconductor/vcon";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { defineProcessor } from "../define.ts";
import type { ProcessorIO } from "../io.ts";
import { isJsonArray, isJsonObject } from "../json.ts";

export const service = defineProcessor({
  name: "service",
  title: "Ask a remote worker",
  description:
    "Has a remote worker do this step: it gets a job of type service with vcon_uuid and the payload vcon (the whole vCon, " +
    "as it is), parameters and request. Of an object that it answers with, vcon takes the place of the vCon, the lists " +
    "analysis, attachments and dialog are added to it, and parameters are set. In the run of a job nobody waits " +
    "meanwhile: the run ends as suspended, and the job goes on here when the answer is there. How often a failed job is " +
    "tried again is set on its queue; if it is not done in the end, this processor fails.",
  version: "1.0.0",
  options: Type.Object({
    queue: Type.String({
      title: "queue",
      description: "The queue of the remote workers, made with POST /queue/NAME?kind=remote.",
      minLength: 1,
    }),
    request: Type.Object(
      {},
      {
        title: "request",
        description: "What the worker is to do, in words that it understands.",
        additionalProperties: true,
        default: {},
      },
    ),
    send_vcon: Type.Boolean({
      title: "send the vCon?",
      description: "Whether the worker gets the vCon itself, or its UUID alone.",
      default: true,
    }),
    priority: Type.Integer({
      title: "priority",
      description: "Jobs with a higher one are handed out first.",
      minimum: -1000,
      maximum: 1000,
      default: 0,
    }),
    give_up_after: Type.Number({
      title: "give up after",
      description:
        "Seconds; if the job is not done by then, it is cancelled and this processor fails. 0: never.",
      minimum: 0,
      maximum: 31_536_000,
      default: 0,
    }),
    set_parameter: Type.String({
      title: "parameter",
      description: "Gets all that the worker answered. Empty: none.",
      default: "",
    }),
  }),
  example: {
    about: "Has a machine with a GPU transcribe the recording.",
    options: { queue: "transcribers", request: { model: "large" } },
  },
  async process(
    io,
    { queue, request, send_vcon, priority, give_up_after, set_parameter, input_vcon_index: index },
    context,
  ) {
    const answer = await context.service({
      queue,
      vconUuids: [io.uuid(index)],
      priority,
      giveUpAfterMs: give_up_after > 0 ? give_up_after * 1000 : undefined,
      payload: {
        ...(send_vcon ? { vcon: io.peek(index) } : {}),
        parameters: Object.fromEntries(io.parameters),
        request: isJsonObject(request) ? request : {},
      },
    });
    if (isJsonObject(answer)) apply(io, { index, answer, queue });
    if (set_parameter !== "") io.parameters.set(set_parameter, answer);
    return io;
  },
});

const lists = ["dialog", "analysis", "attachments"] as const;

function apply(
  io: ProcessorIO,
  { index, answer, queue }: { readonly index: number; readonly answer: JsonObject; readonly queue: string },
): void {
  const wrong = (what: string) =>
    new VconductorError("provider_failed", `the remote worker of ${queue} answered with ${what}`);
  const { vcon, parameters } = answer;
  if (vcon !== undefined) {
    if (!isJsonObject(vcon)) throw wrong("a vcon that is no object");
    const newest = migrate(vcon);
    if (newest.uuid !== undefined && newest.uuid !== io.uuid(index))
      throw wrong("another vCon than it was given");
    io.update(newest);
  }
  const added = lists.flatMap((name): readonly (readonly [string, readonly JsonValue[]])[] => {
    const list = answer[name];
    if (list === undefined) return [];
    if (!isJsonArray(list)) throw wrong(`${name} that is no list`);
    return [[name, list]];
  });
  if (added.length > 0) {
    const current: JsonObject = { ...io.peekVcon(index) };
    const changed = Object.fromEntries(
      added.map(([name, list]) => {
        const before = current[name];
        return [name, [...(before !== undefined && isJsonArray(before) ? before : []), ...list]];
      }),
    );
    io.update({ ...current, ...changed });
  }
  if (parameters === undefined) return;
  if (!isJsonObject(parameters)) throw wrong("parameters that are no object");
  for (const [name, value] of Object.entries(parameters)) io.parameters.set(name, value);
}
