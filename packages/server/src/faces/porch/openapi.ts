import type { TSchema } from "typebox";
import { ClaimQuery, Pipeline, Report, Task, TaskChange, TaskStateEnum, Token } from "./schemas.ts";

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object) => ({ content: { "application/json": { schema } } });
const list = (name: string) => ({ type: "array", items: ref(name) });
const inPath = (name: string) => ({ name, in: "path", required: true, schema: { type: "string" } });
const inQuery = (schema: { readonly properties: Readonly<Record<string, TSchema>> }) =>
  Object.entries(schema.properties).map(([name, property]) => ({
    name,
    in: "query",
    required: false,
    schema: property,
  }));
const text = (name: string) => ({ name, in: "query", required: false, schema: { type: "string" } });

const token = [{ HTTPBearer: [] }];
const refused = { 403: { description: "No token, a bad one, or not the right one" } };
const invalid = { 422: { description: "The request is not valid" } };
const missing = { 404: { description: "There is none" } };
const ok = (description: string, schema: object) => ({ 200: { description, ...json(schema) } });
const task = [inPath("name"), inPath("task_input_id")];

/** The document that clients of npg_porch read: they look up the states of tasks in it. */
export const porchOpenApi = {
  openapi: "3.1.0",
  info: {
    title: "Pipeline Orchestration (POrch)",
    version: "0.1.0",
    description: "On vConductor's job engine.",
  },
  paths: {
    "/pipelines/": {
      get: {
        summary: "List pipelines",
        parameters: [text("uri"), text("version")],
        responses: ok("Pipelines", list("Pipeline")),
      },
      post: {
        summary: "Add a pipeline (administrators)",
        security: token,
        requestBody: { required: true, ...json(ref("Pipeline")) },
        responses: {
          201: { description: "Added", ...json(ref("Pipeline")) },
          400: { description: "Name, uri or version is missing" },
          409: { description: "There is one by that name" },
          ...refused,
          ...invalid,
        },
      },
    },
    "/pipelines/{name}": {
      get: {
        summary: "Look at a pipeline",
        parameters: [inPath("name")],
        responses: { ...ok("The pipeline", ref("Pipeline")), ...missing },
      },
    },
    "/pipelines/{name}/token/{description}": {
      post: {
        summary: "Make a token for a pipeline (administrators)",
        security: token,
        parameters: [inPath("name"), inPath("description")],
        responses: {
          201: { description: "Made; it is not shown again", ...json(ref("Token")) },
          ...refused,
          ...missing,
        },
      },
    },
    "/tokens": {
      get: {
        summary: "List tokens (administrators)",
        security: token,
        responses: { ...ok("Tokens", { type: "array" }), ...refused },
      },
    },
    "/tokens/{token_id}": {
      delete: {
        summary: "Revoke a token (administrators)",
        security: token,
        parameters: [inPath("token_id")],
        responses: { ...ok("Revoked", { type: "object" }), ...refused, ...missing },
      },
    },
    "/tasks/": {
      get: {
        summary: "List tasks: all, or with limit a page, whose Link header leads to the next",
        parameters: [
          text("pipeline_name"),
          { name: "status", in: "query", schema: ref("TaskStateEnum") },
          text("limit"),
          text("after"),
        ],
        responses: { ...ok("Tasks", list("Task")), ...invalid },
      },
      post: {
        summary: "Register a task",
        security: token,
        requestBody: { required: true, ...json(ref("Task")) },
        responses: {
          201: { description: "New", ...json(ref("Task")) },
          ...ok("It was registered before", ref("Task")),
          ...refused,
          ...invalid,
        },
      },
      put: {
        summary: "Change the status of a task",
        security: token,
        requestBody: { required: true, ...json(ref("TaskChange")) },
        responses: { ...ok("As it is now", ref("Task")), ...refused, ...missing, ...invalid },
      },
    },
    "/tasks/claim": {
      post: {
        summary: "Take tasks that are PENDING, oldest first",
        security: token,
        parameters: inQuery(ClaimQuery),
        requestBody: { required: true, ...json(ref("Pipeline")) },
        responses: { ...ok("Those that are the caller's now", list("Task")), ...refused, ...invalid },
      },
    },
    "/pipelines/{name}/tasks/{task_input_id}": {
      get: {
        summary: "Look at a task",
        parameters: task,
        responses: { ...ok("The task", ref("Task")), ...missing, ...invalid },
      },
    },
    "/pipelines/{name}/tasks/{task_input_id}/events": {
      get: {
        summary: "What happened to a task",
        parameters: task,
        responses: { ...ok("Oldest first", { type: "array" }), ...missing, ...invalid },
      },
    },
    "/pipelines/{name}/tasks/{task_input_id}/report": {
      post: {
        summary: "Say how far a claimed task is, and extend its lease",
        security: token,
        parameters: task,
        requestBody: { required: true, ...json(Report) },
        responses: {
          ...ok("The task", ref("Task")),
          409: { description: "Nobody has claimed it" },
          ...refused,
          ...missing,
          ...invalid,
        },
      },
    },
  },
  components: {
    schemas: { Pipeline, Task, TaskChange, TaskStateEnum, Token },
    securitySchemes: { HTTPBearer: { type: "http", scheme: "bearer" } },
  },
};
