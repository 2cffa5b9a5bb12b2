import type { ObjectSchema, PackageSchema, PropertySchema } from "./schema-types";

/** A value in a program of some language: a literal, or a reference to a value that is not known beforehand. */
export type Value =
  | string
  | number
  | boolean
  | readonly Value[]
  | Reference
  | { readonly [name: string]: Value };

/** Has the schema's type of the referenced value, if it is known. */
export class Reference {
  readonly type: string | undefined;

  constructor(type?: string) {
    this.type = type;
  }
}

/** Lists where a resource's arguments in a program differ from its schema. */
export function checkArguments(schema: PackageSchema, token: string, value: Value): readonly string[] {
  const resource = schema.resources[token];
  if (resource === undefined) return [`${token} is not in the schema`];
  const { inputProperties, requiredInputs } = resource;
  return checkObject(schema, { properties: inputProperties, required: requiredInputs }, value, token);
}

function checkObject(
  schema: PackageSchema,
  { properties, required }: ObjectSchema,
  value: Value,
  place: string,
): readonly string[] {
  if (value instanceof Reference) return [];
  if (typeof value !== "object" || Array.isArray(value)) return [`${place} is no object`];
  const missing = required.filter((name) => !(name in value)).map((name) => `${place} lacks ${name}`);
  const found = Object.entries(value).flatMap(([name, one]) => {
    const property = properties[name];
    return property === undefined
      ? [`${place} has no ${name}`]
      : checkValue(schema, property, one, `${place}.${name}`);
  });
  return [...missing, ...found];
}

function checkValue(
  schema: PackageSchema,
  property: PropertySchema,
  value: Value,
  place: string,
): readonly string[] {
  if (property.$ref !== undefined) {
    const type = schema.types[property.$ref.replace("#/types/", "")];
    return type === undefined ? [`${place} has an unknown type`] : checkObject(schema, type, value, place);
  }
  if (value instanceof Reference) {
    return value.type === undefined || value.type === property.type
      ? []
      : [`${place} is a reference to ${value.type}`];
  }
  const { items } = property;
  if (items !== undefined) {
    return Array.isArray(value)
      ? value.flatMap((one, index) => checkValue(schema, items, one, `${place}[${index}]`))
      : [`${place} is no list`];
  }
  const type = Number.isInteger(value) && property.type === "integer" ? "integer" : typeof value;
  return type === property.type ? [] : [`${place} is a ${type}`];
}
