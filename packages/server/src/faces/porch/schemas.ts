import { Type } from "typebox";
import { taskStates } from "../../ledger/ledger.ts";

/** One type, not a choice of two: what is neither is one mistake. */
const TextOrNull = Type.Unsafe<string | null>({ type: ["string", "null"] });
const OptionalText = Type.Optional(TextOrNull);

/** An absent name is none; null is not allowed for it, as in npg_porch. */
export const Pipeline = Type.Object(
  { name: Type.Optional(Type.String()), uri: OptionalText, version: OptionalText },
  { title: "Pipeline", additionalProperties: false },
);

export const TaskStateEnum = Type.Enum([...taskStates], { title: "TaskStateEnum" });

export const Task = Type.Object(
  {
    pipeline: Pipeline,
    task_input_id: OptionalText,
    task_input: Type.Object({}, { additionalProperties: true }),
    status: TaskStateEnum,
  },
  { title: "Task", additionalProperties: true },
);

const progress = Type.Object({
  progress: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  message: Type.Optional(Type.String({ maxLength: 10_000 })),
  claim: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 2 ** 53 - 1,
      description: "As whose claim: it is refused once the task has passed on",
    }),
  ),
}).properties;

/** Ours: what a change of a task may say beside its status. */
export const TaskChange = Type.Object(
  { ...Task.properties, ...progress },
  { title: "TaskChange", additionalProperties: true },
);

const After = Type.Integer({
  minimum: 0,
  maximum: 2 ** 53 - 1,
  description: "The number of the last one before",
});

export const TaskQuery = Type.Object({
  pipeline_name: Type.Optional(Type.String()),
  status: Type.Optional(TaskStateEnum),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  after: Type.Optional(After),
});

export const TokenQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 10_000, default: 10_000 }),
  after: Type.Optional(After),
});

const seconds = { minimum: 1, maximum: 31_536_000 };

export const ClaimQuery = Type.Object({
  num_tasks: Type.Integer({ minimum: 1, maximum: 10_000, default: 1 }),
  lease: Type.Optional(
    Type.Number({
      ...seconds,
      description: "Seconds after which a task that was not heard of is PENDING again. Default: never",
    }),
  ),
});

export const Report = Type.Object({
  lease: Type.Optional(Type.Number({ ...seconds, description: "Seconds from now. Default: as before" })),
  ...progress,
});

export const Token = Type.Object(
  { name: Type.String(), description: Type.String(), token: Type.String() },
  { title: "Token" },
);

export const PipelineQuery = Type.Object({
  uri: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
});

export const mostListed = 10_000;
/** `draw` comes back as it was sent: it tells a table in a browser which of its questions is answered. */
export const Page = Type.Object({
  draw: Type.Optional(Type.String({ maxLength: 100, description: "Comes back as it is" })),
  start: Type.Integer({ minimum: 0, maximum: 2 ** 31, default: 0 }),
  length: Type.Integer({
    minimum: -1,
    maximum: mostListed,
    default: -1,
    description: `-1: as many as there are, up to ${mostListed}`,
  }),
});
export const View = Type.Object({
  pipeline_name: Type.String(),
  state: Type.Enum([...taskStates, "All", "NOT DONE"]),
  since: Type.String(),
});

const when = Type.String({ format: "date-time" });

export const ClaimedTask = Type.Object(
  {
    ...Task.properties,
    claim: Type.Optional(Type.Integer({ description: "With a lease: what later writes name" })),
    lease_until: Type.Optional(when),
  },
  { title: "ClaimedTask" },
);

export const TaskDetail = Type.Object(
  {
    ...Task.properties,
    created: when,
    updated: when,
    progress: Type.Unsafe<number | null>({ type: ["integer", "null"], minimum: 0, maximum: 100 }),
    message: TextOrNull,
  },
  { title: "TaskDetail" },
);

export const TaskEvent = Type.Object(
  {
    time: when,
    change: Type.String(),
    message: TextOrNull,
    token: Type.Unsafe<string | null>({
      type: ["string", "null"],
      description: "The description of the token; null: nobody's, such as a lease that ran out",
    }),
  },
  { title: "TaskEvent", additionalProperties: false },
);

export const ListedToken = Type.Object(
  {
    id: Type.Integer(),
    description: Type.String(),
    name: Type.Unsafe<string | null>({
      type: ["string", "null"],
      description: "Of its pipeline; null: it is an administrator's",
    }),
    issued: when,
    revoked: Type.Unsafe<string | null>({ type: ["string", "null"], format: "date-time" }),
  },
  { title: "ListedToken", additionalProperties: false },
);

export const TaskTable = Type.Object(
  {
    draw: TextOrNull,
    recordsTotal: Type.Integer(),
    recordsFiltered: Type.Integer(),
    data: Type.Array(
      Type.Object(
        { ...Task.properties, created: Type.String(), updated: Type.String() },
        { title: "TaskExpanded" },
      ),
    ),
  },
  { title: "TaskTable", additionalProperties: false },
);

/** What went wrong, in a sentence. */
export const Problem = Type.Object(
  { detail: Type.String() },
  { title: "Problem", additionalProperties: false },
);

/** What is wrong with a request; rarely a sentence. */
export const HTTPValidationError = Type.Object(
  {
    detail: Type.Union([
      Type.Array(
        Type.Object({
          type: Type.String(),
          loc: Type.Array(Type.Union([Type.String(), Type.Integer()])),
          msg: Type.String(),
          input: Type.Unknown(),
        }),
      ),
      Type.String(),
    ]),
  },
  { title: "HTTPValidationError", additionalProperties: false },
);

export const inputIdPattern = "^[0-9a-f]{64}$";
