import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetSchemaRequest, type GetSchemaResponse } from "@pulumi/pulumi/proto/provider_pb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unpackInto } from "../package/pack";
import { ask, startPlugin } from "./running-plugin";

const root = join(__dirname, "..", "..", "..");

let folder: string;
/** The unpacked package, as a user has it. */
let packed: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "knockgate-packed-"));
  packed = join(folder, "package");
  mkdirSync(packed);
  unpackInto(packed);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function readSchema(command: readonly [string, ...string[]]): Promise<string> {
  const plugin = await startPlugin(command);
  try {
    const { client } = plugin;
    const request = new GetSchemaRequest();
    const asked = ask<GetSchemaRequest, GetSchemaResponse>(
      (...asking) => client.getSchema(...asking),
      request,
    );
    return (await asked).getSchema();
  } finally {
    await plugin.stop();
  }
}

test("the packed package runs as the executable that an engine looks for in a package's folder", async () => {
  const schema = await readSchema([join(packed, "pulumi-resource-knockgate")]);
  expect(schema).toBe(readFileSync(join(root, "dist/pulumi/plugin/schema.json"), "utf8"));
});

test("the packed package runs by the command of Pulumi's language host for Node, as PulumiPlugin.yaml asks", async () => {
  expect(readFileSync(join(packed, "PulumiPlugin.yaml"), "utf8")).toBe("runtime: nodejs\n");
  const runner = createRequire(packed).resolve("@pulumi/pulumi/cmd/run-plugin");
  const schema = await readSchema([process.execPath, runner, packed]);
  expect(JSON.parse(schema).resources).toHaveProperty(["knockgate:index:Ruleset"]);
});
