/** A package's schema, as far as these tests read it. */
export interface PackageSchema {
  readonly types: Readonly<Record<string, ObjectSchema>>;
  readonly resources: Readonly<Record<string, ResourceSchema>>;
}

export interface ObjectSchema {
  readonly description?: string;
  readonly properties: Readonly<Record<string, PropertySchema>>;
  readonly required: readonly string[];
}

interface ResourceSchema extends ObjectSchema {
  readonly isComponent: boolean;
  readonly inputProperties: Readonly<Record<string, PropertySchema>>;
  readonly requiredInputs: readonly string[];
}

export interface PropertySchema {
  readonly type?: string;
  readonly $ref?: string;
  readonly items?: PropertySchema;
  readonly additionalProperties?: PropertySchema;
  readonly description?: string;
  readonly secret?: boolean;
  readonly plain?: boolean;
}

/**
 * Writes a TypeScript module that compiles only if the schema says exactly what the exported types say: names, required
 * names and types.
 *
 * @param exported the names of the package's exported types
 * @param component of the schema, and its type for other languages
 */
export function writeComparison(schema: PackageSchema, exported: ReadonlySet<string>): string {
  const compared: string[] = [];
  const lines = Object.entries(schema.types).flatMap(([token, { properties, required }]) => {
    const name = lastWord(token);
    const ours = findExported(name, exported);
    const isInput = ours?.includes("Args") === true;
    if (ours !== undefined) compared.push(compare(name, `Schema.${name}`, ours));
    return writeInterface(name, properties, required, isInput ? "input" : "bare");
  });
  const components = Object.entries(schema.resources).filter(([, { isComponent }]) => isComponent);
  const gates = components.flatMap(([token, { properties, required, inputProperties, requiredInputs }]) => {
    const name = lastWord(token);
    compared.push(compare(`${name}Inputs`, `Schema.${name}Inputs`, `package_.${name}Args`));
    compared.push(compare(`${name}Outputs`, `Schema.${name}Outputs`, `Outputs<package_.${name}>`));
    return [
      ...writeInterface(`${name}Inputs`, inputProperties, requiredInputs, "input"),
      ...writeInterface(`${name}Outputs`, properties, required, "output"),
    ];
  });
  return [
    'import type * as pulumi from "@pulumi/pulumi";',
    'import type * as package_ from "../../../src/index";',
    "type Equal<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;",
    "type Same<A, B> = Equal<Bare<A>, Bare<B>>;",
    // Leaves out what a schema does not express: inputs and outputs, literals, readonly.
    "type Bare<T> = T extends pulumi.OutputInstance<infer U> | Promise<infer U> ? Bare<U>",
    "  : T extends string ? string : T extends readonly (infer U)[] ? Bare<U>[]",
    "  : T extends package_.GatedHost ? Members<Outputs<T>> : T extends object ? Members<T> : T;",
    // For a schema an absent property and one that is undefined are the same.
    "type Members<T> = { [K in keyof T as undefined extends Bare<T[K]> ? never : K]: Bare<T[K]> }",
    "  & { [K in keyof T as undefined extends Bare<T[K]> ? K : never]?: Bare<T[K]> };",
    "type Outputs<C> = { readonly [K in OutputNames<C>]: C[K] };",
    "type Output = pulumi.OutputInstance<unknown> | Readonly<Record<string, package_.GatedHost>>;",
    'type OutputNames<C> = Exclude<{ [K in keyof C]: C[K] extends Output ? K : never }[keyof C], "urn">;',
    "declare namespace Schema {",
    ...lines,
    ...gates,
    "}",
    ...compared,
    "",
  ].join("\n");
}

/** The package's export for a type of the schema. Each language adds `Args` to the name of an input type. */
function findExported(name: string, exported: ReadonlySet<string>): string | undefined {
  if (name === "RolloutWave") return "package_.WaveArgs";
  if (name.startsWith("Partial")) return `Partial<package_.${name.slice("Partial".length)}Args>`;
  if (name === "GatedHost") return `Outputs<package_.${name}>`;
  const ours = [`${name}Args`, name].find((one) => exported.has(one));
  return ours === undefined ? undefined : `package_.${ours}`;
}

function compare(name: string, schema: string, ours: string): string {
  return [
    `export const ${name}Types: Same<${schema}, ${ours}> = true;`,
    `export const ${name}Names: Equal<keyof ${schema}, keyof ${ours}> = true;`,
  ].join("\n");
}

type Position = "input" | "output" | "bare";

function writeInterface(
  name: string,
  properties: Readonly<Record<string, PropertySchema>>,
  required: readonly string[],
  position: Position,
): readonly string[] {
  const members = Object.entries(properties).map(([property, schema]) => {
    const optional = required.includes(property) ? "" : "?";
    return `  readonly ${property}${optional}: ${writeType(schema, position)};`;
  });
  return [`export interface ${name} {`, ...members, "}"];
}

function writeType(schema: PropertySchema, position: Position): string {
  const inner = position === "input" ? "input" : "bare";
  const bare = writeBareType(schema, inner);
  if (schema.plain === true || position === "bare") return bare;
  return position === "input" ? `pulumi.Input<${bare}>` : `pulumi.Output<${bare}>`;
}

function writeBareType(schema: PropertySchema, position: Position): string {
  if (schema.$ref !== undefined) {
    const name = lastWord(schema.$ref);
    // An output holds the plain values of an input type.
    return position === "bare" ? `pulumi.Unwrap<${name}>` : name;
  }
  if (schema.items !== undefined) {
    const list = writeType(schema.items, position);
    return position === "input" ? `(${list})[]` : `readonly (${list})[]`;
  }
  if (schema.additionalProperties !== undefined) {
    return `Record<string, ${writeType(schema.additionalProperties, position)}>`;
  }
  return schema.type === "integer" ? "number" : `${schema.type}`;
}

function lastWord(token: string): string {
  return token.split(":").at(-1) ?? "";
}
