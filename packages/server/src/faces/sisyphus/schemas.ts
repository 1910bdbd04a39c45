import { type TObject, Type } from "typebox";

const text = Type.String();
const object = Type.Object({}, { additionalProperties: true });
const strict = <Schema extends TObject>(schema: Schema): Schema => ({
  ...schema,
  additionalProperties: false,
});

export const JobPost = strict(
  Type.Object({
    job_title: text,
    tasks: Type.Optional(
      Type.Array(Type.Object({ module: text, data: object }, { additionalProperties: true })),
    ),
  }),
);

export const Completion = strict(
  Type.Object({ failed: Type.Optional(Type.Boolean()), info: Type.Optional(object) }),
);

export const Switch = strict(Type.Object({ disabled: Type.Optional(Type.Boolean()) }));

export const Heartbeat = strict(
  Type.Object({
    status: text,
    online_at: text,
    hostname: text,
    version: text,
    task: Type.Optional(text),
    job_id: Type.Optional(text),
    job_title: Type.Optional(text),
    progress: Type.Optional(Type.Number()),
    info: Type.Optional(object),
  }),
);

export const AnyObject = object;
