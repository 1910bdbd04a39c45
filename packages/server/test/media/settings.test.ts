import { describe, expect, it } from "vitest";
import { describeConfig } from "../../src/check.ts";
import { ConfigError, configAsState, readConfig } from "../../src/config.ts";
import { testServices } from "../processors/test-services.ts";

const bucket = {
  MEDIA_STORE: "s3://media",
  MEDIA_S3_ACCESS_KEY_ID: "hush-id",
  MEDIA_S3_SECRET_ACCESS_KEY: "hush-key",
};

function problems(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((one) => `${one.variable} ${one.message}`);
    throw error;
  }
  return [];
}

describe("the keys of the bucket", () => {
  it("are out of reach for processors", async () => {
    const services = testServices(bucket);
    const names = Object.keys(bucket);
    expect(names.map((name) => services.secret(name))).toEqual([undefined, undefined, undefined]);
    expect(names.map((name) => services.setting(name))).toEqual([undefined, undefined, undefined]);
    await services.stop();
  });

  it("are not shown", () => {
    const config = readConfig({ ...bucket, STATE_SETTINGS: Object.keys(bucket).join() });
    expect(describeConfig(config)).toContain("s3://media/");
    expect(describeConfig(config)).not.toContain("hush");
    expect(JSON.stringify(configAsState(config))).not.toContain("hush");
  });

  it("are asked for at the start", () => {
    expect(problems({ MEDIA_STORE: "s3://media" })).toEqual([
      "MEDIA_S3_ACCESS_KEY_ID is needed when MEDIA_STORE is a bucket",
      "MEDIA_S3_SECRET_ACCESS_KEY is needed when MEDIA_STORE is a bucket",
    ]);
    expect(problems(bucket)).toEqual([]);
    expect(problems({ MEDIA_STORE: "directory:media" })).toEqual([]);
  });
});

describe("MEDIA_STORE", () => {
  it.each(["media", "s3://", "s3://Upper", "s3:media", "directory:", "directory: ", "file:media"])(
    "%s is refused",
    (text) => {
      expect(problems({ ...bucket, MEDIA_STORE: text })).toHaveLength(1);
    },
  );

  it("is relative to the working directory", () => {
    const { mediaStore } = readConfig({ MEDIA_STORE: "directory:a/../b" }, { directory: "/srv" });
    expect(mediaStore).toEqual({ kind: "directory", directory: "/srv/b" });
  });
});
