import type { TSchema } from "typebox";
import {
  ClaimedTask,
  ClaimQuery,
  HTTPValidationError,
  ListedToken,
  Page,
  Pipeline,
  PipelineQuery,
  Problem,
  Report,
  Task,
  TaskChange,
  TaskDetail,
  TaskEvent,
  TaskQuery,
  TaskStateEnum,
  TaskTable,
  Token,
  TokenQuery,
  View,
} from "./schemas.ts";

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
const problem = (status: number, description: string) => ({
  [status]: { description, ...json(ref("Problem")) },
});

const token = [{ HTTPBearer: [] }];
const refused = problem(403, "No token, a bad one, or not the right one");
/** Of what everybody may read, unless there is access control. */
const unread = problem(403, "With access control: no token, or a bad one");
const invalid = { 422: { description: "The request is not valid", ...json(ref("HTTPValidationError")) } };
const missing = problem(404, "There is none");
const tooLarge = problem(413, "The body or its task_input is too large");
const passed = problem(409, "The claim that is named has passed on, or nobody works on the task");
const ok = (description: string, schema: object) => ({ 200: { description, ...json(schema) } });
const task = [inPath("name"), inPath("task_input_id")];
const view = (summary: string, parameters: readonly object[] = []) => ({
  get: {
    summary,
    parameters: [...parameters, ...inQuery(Page)],
    responses: { ...ok("As DataTables has it", ref("TaskTable")), ...unread, ...invalid },
  },
});

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
        parameters: inQuery(PipelineQuery),
        responses: { ...ok("Pipelines", list("Pipeline")), ...unread, ...invalid },
      },
      post: {
        summary: "Add a pipeline (administrators)",
        security: token,
        requestBody: { required: true, ...json(ref("Pipeline")) },
        responses: {
          201: { description: "Added", ...json(ref("Pipeline")) },
          ...problem(400, "Name, uri or version is missing"),
          ...problem(409, "There is one by that name"),
          ...problem(413, "The body is too large"),
          ...refused,
          ...invalid,
        },
      },
    },
    "/pipelines/{name}": {
      get: {
        summary: "Look at a pipeline",
        parameters: [inPath("name")],
        responses: { ...ok("The pipeline", ref("Pipeline")), ...unread, ...missing, ...invalid },
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
          ...invalid,
        },
      },
    },
    "/tokens": {
      get: {
        summary: "List tokens (administrators): a page, whose Link header leads to the next",
        security: token,
        parameters: inQuery(TokenQuery),
        responses: { ...ok("Tokens", list("ListedToken")), ...refused, ...invalid },
      },
    },
    "/tokens/{token_id}": {
      delete: {
        summary: "Revoke a token (administrators)",
        security: token,
        parameters: [
          { name: "token_id", in: "path", required: true, schema: { type: "integer", minimum: 1 } },
        ],
        responses: {
          ...ok("Revoked", {
            type: "object",
            properties: { id: { type: "integer" }, revoked: { const: true } },
            required: ["id", "revoked"],
          }),
          ...refused,
          ...missing,
          ...invalid,
        },
      },
    },
    "/tasks/": {
      get: {
        summary: "List tasks: all, or with limit a page, whose Link header leads to the next",
        parameters: inQuery(TaskQuery),
        responses: { ...ok("Tasks", list("Task")), ...unread, ...invalid },
      },
      post: {
        summary: "Register a task",
        security: token,
        requestBody: { required: true, ...json(ref("Task")) },
        responses: {
          201: { description: "New", ...json(ref("Task")) },
          ...ok("It was registered before", ref("Task")),
          ...refused,
          ...tooLarge,
          ...invalid,
        },
      },
      put: {
        summary: "Change the status of a task",
        security: token,
        requestBody: { required: true, ...json(ref("TaskChange")) },
        responses: {
          ...ok("As it is now", ref("Task")),
          ...refused,
          ...missing,
          ...passed,
          ...tooLarge,
          ...invalid,
        },
      },
    },
    "/tasks/claim": {
      post: {
        summary: "Take tasks that are PENDING, oldest first",
        security: token,
        parameters: inQuery(ClaimQuery),
        requestBody: { required: true, ...json(ref("Pipeline")) },
        responses: { ...ok("Those that are the caller's now", list("ClaimedTask")), ...refused, ...invalid },
      },
    },
    "/pipelines/{name}/tasks/{task_input_id}": {
      get: {
        summary: "Look at a task",
        parameters: task,
        responses: { ...ok("The task", ref("TaskDetail")), ...unread, ...missing, ...invalid },
      },
    },
    "/pipelines/{name}/tasks/{task_input_id}/events": {
      get: {
        summary: "What happened to a task",
        parameters: task,
        responses: { ...ok("Oldest first", list("TaskEvent")), ...unread, ...missing, ...invalid },
      },
    },
    "/pipelines/{name}/tasks/{task_input_id}/report": {
      post: {
        summary: "Say how far a task is that is CLAIMED or RUNNING, and extend its lease",
        security: token,
        parameters: task,
        requestBody: { required: true, ...json(ref("Report")) },
        responses: {
          ...ok("The task", ref("TaskDetail")),
          ...passed,
          ...refused,
          ...missing,
          ...invalid,
        },
      },
    },
    "/ui/tasks/{pipeline_name}/{state}/{since}": view("Tasks, the last changed first", [
      { ...inPath("pipeline_name"), description: "All: of all pipelines" },
      { name: "state", in: "path", required: true, schema: View.properties.state },
      { ...inPath("since"), description: "The first year stands for no limit" },
    ]),
    "/ui/long_running": view("Tasks that take longer than is usual for their pipeline"),
    "/ui/recently_failed": view("Tasks that have failed within 14 days"),
  },
  components: {
    schemas: {
      Pipeline,
      Task,
      TaskChange,
      TaskStateEnum,
      Token,
      Report,
      ClaimedTask,
      TaskDetail,
      TaskEvent,
      ListedToken,
      TaskTable,
      Problem,
      HTTPValidationError,
    },
    securitySchemes: { HTTPBearer: { type: "http", scheme: "bearer" } },
  },
};
