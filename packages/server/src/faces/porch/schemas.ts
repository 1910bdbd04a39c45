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

export const inputIdPattern = "^[0-9a-f]{64}$";
