import { type Static, Type } from "typebox";
import { dispositions } from "./dialog.ts";
import { keyEvents, partyEvents } from "./party-history.ts";
import {
  content,
  date,
  describedContentDemands,
  extensible,
  having,
  index,
  listOf,
  none,
  text,
} from "./schema-values.ts";

const parties = Type.Union([index, listOf(Type.Union([index, listOf(index), Type.Null()]))], {
  description:
    "Who takes part: an index, or by channel an index, a list of indices, or null for an unused one.",
});

const sessionId = Type.Object({ local: text, remote: text });

const partyHistory = Type.Object(
  {
    party: index,
    time: date,
    event: Type.Enum([...partyEvents]),
    button: Type.Optional(Type.String({ description: "The key, for keydown and keyup." })),
  },
  {
    allOf: [
      {
        if: having({ event: { enum: [...keyEvents] } }),
        then: having({ button: true }),
      },
    ],
  },
);

/** Members that every type of dialog may have. */
const everywhere = {
  start: Type.Optional(date),
  duration: Type.Optional(Type.Number({ minimum: 0, description: "Seconds." })),
  disposition: Type.Optional(Type.Enum([...dispositions])),
  application: Type.Optional(Type.String({ description: 'A channel or service, for example "WhatsApp".' })),
};

const conversation = {
  ...everywhere,
  parties: Type.Optional(parties),
  originator: Type.Optional(index),
  session_id: Type.Optional(
    Type.Union([sessionId, listOf(Type.Union([sessionId, listOf(sessionId)]))], {
      description: "In the shape of parties; {} for a party that has none.",
    }),
  ),
  party_history: Type.Optional(listOf(extensible(partyHistory))),
};

const noSet = { recordings: none, recording_set: none };
const noContent = {
  mediatype: none,
  filename: none,
  body: none,
  encoding: none,
  url: none,
  content_hash: none,
  message_id: none,
};
const noTransfer = {
  transferee: none,
  transferor: none,
  transfer_target: none,
  original: none,
  consultation: none,
  target_dialog: none,
};

const recording = Type.Object(
  {
    type: Type.Literal("recording"),
    ...conversation,
    ...content,
    message_id: text,
    ...noTransfer,
    recordings: none,
    recording_set: Type.Optional(index),
  },
  { allOf: describedContentDemands },
);

const textDialog = Type.Object(
  { type: Type.Literal("text"), ...conversation, ...content, message_id: text, ...noTransfer, ...noSet },
  { allOf: describedContentDemands },
);

const recordingSet = Type.Object({
  type: Type.Literal("recording-set"),
  ...conversation,
  ...noContent,
  ...noTransfer,
  recordings: listOf(index),
  recording_set: none,
});

const transfer = Type.Object({
  type: Type.Literal("transfer"),
  ...everywhere,
  ...noContent,
  ...noSet,
  parties: none,
  originator: none,
  session_id: none,
  party_history: none,
  transferee: Type.Optional(index),
  transferor: Type.Optional(index),
  transfer_target: Type.Optional(index),
  original: Type.Optional(index),
  consultation: Type.Optional(index),
  target_dialog: Type.Optional(index),
});

const incomplete = Type.Object({
  type: Type.Literal("incomplete"),
  ...conversation,
  ...noContent,
  ...noSet,
  ...noTransfer,
  disposition: Type.Enum([...dispositions]),
});

/** A stretch of conversation, or an attempt at one. */
export const dialogSchema = extensible(
  Type.Union([recording, recordingSet, textDialog, transfer, incomplete], { title: "Dialog" }),
);

export type DialogInput = Static<typeof dialogSchema>;
