import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, at, type CallOptions, call } from "../../http/call.ts";
import { mediaDirectory } from "../../media/directory.ts";
import { startTestServer, type TestServer } from "../../setup/test-server.ts";

export interface TestGateway {
  readonly server: TestServer;
  /** Of temporary files. */
  readonly files: string;
  /** Settings for another server of the same. */
  readonly env: Readonly<Record<string, string>>;
  send(method: string, path: string, options?: CallOptions): Promise<Answer>;
  stop(): Promise<void>;
}

/** A server with a gateway. @param config the file's content @param env more settings */
export async function startGateway(
  config: object,
  env: Readonly<Record<string, string>> = {},
): Promise<TestGateway> {
  const directory = await mkdtemp(join(tmpdir(), "vconductor-gateway-test-"));
  await writeFile(join(directory, "gateway.json"), JSON.stringify(config));
  const files = join(directory, "files");
  const all = {
    RUN_BACKGROUND_JOBS: "false",
    GATEWAY_CONFIG: join(directory, "gateway.json"),
    GATEWAY_TEMPORARY_STORAGE: files,
    ...(await mediaDirectory()).env,
    ...env,
  };
  const server = await startTestServer(all);
  return {
    server,
    files,
    env: all,
    send: (method, path, options) => call(method, `${server.url}/gateway${path}`, options),
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true });
    },
  };
}

/** Its status, and the gateway's code. */
export function problem(answer: Answer): readonly unknown[] {
  return [answer.status, at(answer.json, "vesta", "code")];
}
