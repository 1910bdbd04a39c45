import { addTags } from "@vconductor/vcon";
import { Type } from "typebox";
import { defineProcessor } from "../define.ts";

export const tag = defineProcessor({
  name: "tag",
  title: "Tag a vCon",
  description:
    "Adds tags to the input vCon's tags attachment, and makes one if there is none. Tags it has stay once.",
  version: "1.0.0",
  options: Type.Object({
    tags: Type.Array(Type.String({ minLength: 1 }), {
      title: "tags",
      description: "The tags to add; usually name:value.",
    }),
  }),
  example: { about: "Adds two tags.", options: { tags: ["team:support", "reviewed"] } },
  process(io, { tags, input_vcon_index }) {
    io.update(addTags(io.peekVcon(input_vcon_index), tags));
    return io;
  },
});
