import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What of the schema the plugin itself goes by. */
export interface Schema {
  readonly version: string;
  /** By type token. */
  readonly resources: Readonly<Record<string, ResourceSchema>>;
}

interface ResourceSchema {
  readonly properties: Properties;
  readonly inputProperties: Properties;
}

type Properties = Readonly<Record<string, { readonly plain?: boolean }>>;

/** The text that the build lays beside this module. */
export function readSchemaText(): string {
  return readFileSync(join(__dirname, "schema.json"), "utf8");
}

export function listOutputs(schema: Schema, token: string): readonly string[] {
  return Object.keys(schema.resources[token]?.properties ?? {});
}

/** The inputs that a component needs to know before it makes anything. */
export function listPlainInputs(schema: Schema, token: string): readonly string[] {
  const inputs = Object.entries(schema.resources[token]?.inputProperties ?? {});
  return inputs.filter(([, { plain }]) => plain === true).map(([name]) => name);
}
