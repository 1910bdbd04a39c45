import { Type } from "typebox";
import { permissions } from "../../access/visible.ts";
import type { App } from "../app.ts";
import { viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { answers, NoContent, smallBody, TenantName, VconUuid } from "../schemas.ts";
import { json, noContent } from "../send.ts";

const tags = ["vCon: Access"];
const uuid = Type.Object({ vcon_uuid: VconUuid });

const Grants = Type.Array(
  Type.Object({
    grantee: Type.String({
      minLength: 1,
      maxLength: 500,
      pattern: "^(?:(?:token|jwt|pipeline|group):.+|anonymous)$",
      description: "The id of a principal (token:…, jwt:issuer|subject, pipeline:name), or group:name",
    }),
    permissions: Type.Array(Type.Enum([...permissions]), { minItems: 1, maxItems: permissions.length }),
  }),
  { maxItems: 1000, default: [] },
);

/** Who may do what with a vCon. */
export function vconAccessRoutes(app: App, { vcons, config }: HttpContext): void {
  app.get(
    "/vcon/:vcon_uuid/access",
    {
      schema: {
        scope: ["vcon:read"],
        tags,
        summary: "See who may do what with a vCon",
        operationId: "get_vcon_access",
        params: uuid,
        response: answers(
          {
            200: Type.Object({
              tenant: Type.String(),
              restricted: Type.Boolean({ description: "The tenant's own need a grant as well" }),
              grants: Grants,
            }),
          },
          404,
        ),
      },
    },
    async (request, reply) => {
      const { tenant, restricted, grants } = await vcons.access(request.params.vcon_uuid, viewerIn(request));
      return json(reply, { tenant, restricted, grants });
    },
  );

  app.put(
    "/vcon/:vcon_uuid/access",
    {
      bodyLimit: smallBody(config),
      schema: {
        scope: ["vcon:write"],
        tags,
        summary: "Say who may do what with a vCon",
        description:
          "Replaces the access list. Without one, a vCon is open to all of its tenant whose scopes allow it. Grants give it to others; `restricted` takes it from those of the tenant that have no grant. Only those of its tenant who may write it may do so; another tenant is given by an administrator.",
        operationId: "put_vcon_access",
        params: uuid,
        body: Type.Object({
          tenant: Type.Optional(TenantName),
          restricted: Type.Boolean({ default: false }),
          grants: Grants,
        }),
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      const { vcon_uuid } = request.params;
      const viewer = viewerIn(request);
      const { restricted, grants, tenant = (await vcons.access(vcon_uuid, viewer)).tenant } = request.body;
      await vcons.setAccess(vcon_uuid, { viewer, access: { tenant, restricted, grants: merged(grants) } });
      return noContent(reply);
    },
  );
}

interface Grant {
  readonly grantee: string;
  readonly permissions: readonly (typeof permissions)[number][];
}

/** One entry for each grantee, with everything that it was given. */
function merged(grants: readonly Grant[]): readonly Grant[] {
  return [...Map.groupBy(grants, ({ grantee }) => grantee)].map(([grantee, given]) => ({
    grantee,
    permissions: [...new Set(given.flatMap((grant) => grant.permissions))],
  }));
}
