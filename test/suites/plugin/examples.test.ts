// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how YAML programs refer to values.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { checkArguments, Reference, type Value } from "./program-check";
import type { PackageSchema } from "./schema-types";

const root = join(__dirname, "..", "..", "..");
const schema: PackageSchema = JSON.parse(readFileSync(join(root, "dist/pulumi/plugin/schema.json"), "utf8"));
const yaml = readFileSync(join(root, "examples/yaml/Pulumi.yaml"), "utf8");
const python = readFileSync(join(root, "examples/python/__main__.py"), "utf8");

/** Lists the mistakes in a YAML program's resources and outputs. */
function checkYaml(text: string): readonly string[] {
  const { config, resources, outputs } = parse(text);
  const resolve = (value: unknown): Value => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolve(one)]));
    }
    const name = /^\$\{(\w+)\}$/.exec(`${value}`)?.[1];
    return name === undefined ? (value as Value) : new Reference(config[name]?.type ?? "nothing");
  };
  const tokens: Record<string, string> = {};
  const wrong = Object.entries<{ type: string; properties: unknown }>(resources).flatMap(
    ([name, resource]) => {
      const token = resource.type.replace(":", ":index:");
      tokens[name] = token;
      return checkArguments(schema, token, resolve(resource.properties));
    },
  );
  return [...wrong, ...Object.values<string>(outputs).flatMap((output) => checkOutput(output, tokens))];
}

/** Lists the mistakes in a Python program. */
function checkPython(text: string): readonly string[] {
  const reader = join(__dirname, "read-python.py");
  const read = JSON.parse(execFileSync("python3", [reader], { input: text, encoding: "utf8" }));
  const wrongCalls: string[] = [];
  const resolve = (value: unknown): Value => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== "object" || value === null) return value as Value;
    if ("expression" in value) return new Reference();
    const { call, arguments: given } = value as { call: string; arguments: Record<string, unknown> };
    const isKnown =
      `knockgate:index:${call.replace(/Args$/, "")}` in { ...schema.types, ...schema.resources };
    if (!isKnown) wrongCalls.push(`${call} is not in the schema`);
    return Object.fromEntries(Object.entries(given).map(([name, one]) => [toCamelCase(name), resolve(one)]));
  };
  const tokens: Record<string, string> = {};
  const wrong = Object.entries<{ call: string }>(read.resources).flatMap(([name, resource]) => {
    tokens[name] = `knockgate:index:${resource.call}`;
    return checkArguments(schema, tokens[name], resolve(resource));
  });
  const outputs = (read.exported as string[]).map((text) => `\${${text}}`);
  return [...wrong, ...wrongCalls, ...outputs.flatMap((output) => checkOutput(output, tokens))];
}

function checkOutput(output: string, tokens: Readonly<Record<string, string>>): readonly string[] {
  const [, resource = "", name = ""] = /^\$\{(\w+)\.(\w+)\}$/.exec(output) ?? [];
  const properties = schema.resources[tokens[resource] ?? ""]?.properties ?? {};
  return toCamelCase(name) in properties ? [] : [`${output} is no output`];
}

function toCamelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

describe("examples/yaml", () => {
  test("says only what the schema knows, and all that it asks for", () => {
    expect(checkYaml(yaml)).toEqual([]);
  });

  test.each([
    ["another type", "knockgate:KnockGate", "knockgate:Gate", "knockgate:index:Gate is not in the schema"],
    ["an unknown property", "hostKey: ${hostKey}", "host_key: ${hostKey}", "has no host_key"],
    ["a missing one", "host: ${host}", "port: 22", "lacks host"],
    ["a number for a text", 'tcp: "22"', "tcp: 22", "protect[0].tcp is a number"],
    ["a text for a number", "udp: 62201", "udp: ${host}", "is a reference to string"],
    ["a value that is not declared", "key: ${adaKey}", "key: ${benKey}", "is a reference to nothing"],
    ["an unknown output", "${edge.digest}", "${edge.hash}", "${edge.hash} is no output"],
  ])("is found wrong with %s", (_, from, to, expected) => {
    expect(yaml).toContain(from);
    expect(checkYaml(yaml.replace(from, to)).join("\n")).toContain(expected);
  });
});

describe("examples/python", () => {
  test("asks for the same configuration as examples/yaml", () => {
    const [ours, theirs] = ["python", "yaml"].map((name) => {
      return Object.keys(parse(readFileSync(join(root, "examples", name, "Pulumi.yaml"), "utf8")).config);
    });
    expect(ours).toEqual(theirs);
  });

  test("says only what the schema knows, and all that it asks for", () => {
    expect(checkPython(python)).toEqual([]);
  });

  test.each([
    ["another class", "knockgate.ProtectArgs", "knockgate.PortArgs", "PortArgs is not in the schema"],
    ["an unknown argument", "host_key=", "hostkeys=", "has no hostkeys"],
    ["a missing one", 'host=config.require("host"),', "", "lacks host"],
    ["a number for a text", 'tcp="22"', "tcp=22", "protect[0].tcp is a number"],
    ["an unknown output", "edge.digest", "edge.hash", "${edge.hash} is no output"],
  ])("is found wrong with %s", (_, from, to, expected) => {
    expect(python).toContain(from);
    expect(checkPython(python.replace(from, to)).join("\n")).toContain(expected);
  });
});
