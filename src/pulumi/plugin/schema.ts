import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The part of the schema that the plugin itself reads. */
export interface Schema {
  readonly version: string;
  /** By type token. */
  readonly resources: Readonly<Record<string, ResourceSchema>>;
}

interface ResourceSchema {
  readonly properties: SchemaProperties;
  readonly inputProperties: SchemaProperties;
}

type SchemaProperties = Readonly<Record<string, { readonly plain?: boolean }>>;

/** Reads the schema that the build puts beside this module. */
export function readSchemaText(): string {
  return readFileSync(join(__dirname, "schema.json"), "utf8");
}

export function listOutputs(schema: Schema, token: string): readonly string[] {
  return Object.keys(schema.resources[token]?.properties ?? {});
}

/** Lists the inputs that a component must know before it makes a resource. */
export function listPlainInputs(schema: Schema, token: string): readonly string[] {
  const inputs = Object.entries(schema.resources[token]?.inputProperties ?? {});
  return inputs.filter(([, { plain }]) => plain === true).map(([name]) => name);
}
