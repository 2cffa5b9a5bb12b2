import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ObjectSchema, PackageSchema, PropertySchema } from "./schema-types";

export const schema: PackageSchema = JSON.parse(
  readFileSync(join(__dirname, "..", "..", "..", "dist", "pulumi", "plugin", "schema.json"), "utf8"),
);

/** Part of each wrong value and of each unknown name. No message may ever contain it. */
export const canary = "canary17411";

/** Arguments as a program writes them. */
export type Inputs = Readonly<Record<string, unknown>>;

/** Inputs with one mistake, and its place. */
export interface Broken {
  readonly place: string;
  readonly inputs: Inputs;
}

/**
 * Walks all inputs of a resource by the schema, at every depth. At each place it gives once a value of a wrong type and
 * once text that does not belong there, and adds to each object an unknown field, in both forms that YAML makes of a
 * field with its value. All other inputs are those of a valid program.
 */
export function breakInputs(token: string, right: Inputs): readonly Broken[] {
  const { inputProperties = {} } = schema.resources[token] ?? {};
  return breakObject({ properties: inputProperties }, right, "").map(({ place, value }) => {
    return { place, inputs: value as Inputs };
  });
}

/** All mistakes that fit together, in as few sets of inputs as there are alternatives at one place. */
export function breakAllAtOnce(token: string, right: Inputs): readonly Inputs[] {
  const { inputProperties = {} } = schema.resources[token] ?? {};
  const broken = spoilObject({ properties: inputProperties }, right);
  return broken as readonly Inputs[];
}

interface BrokenValue {
  readonly place: string;
  readonly value: unknown;
}

function breakObject(
  { properties }: Pick<ObjectSchema, "properties">,
  right: Inputs,
  at: string,
): readonly BrokenValue[] {
  return [
    ...unknownFields.map((fields) => ({
      place: `${at}.${Object.keys(fields)}`,
      value: { ...right, ...fields },
    })),
    ...Object.entries(properties).flatMap(([name, type]) =>
      breakValue(type, right[name], `${at}.${name}`).map(({ place, value }) => ({
        place,
        value: { ...right, [name]: value },
      })),
    ),
  ];
}

function breakValue(type: PropertySchema, right: unknown, at: string): readonly BrokenValue[] {
  const own = listWrong(type).map((value) => ({ place: at, value }));
  const of = findObject(type);
  if (of !== undefined) return [...own, ...breakObject(of, (right ?? {}) as Inputs, at)];
  const inner = type.items ?? type.additionalProperties;
  if (inner === undefined) return own;
  const [first] = Object.values(right ?? {});
  const within = breakValue(inner, first, `${at}[0]`);
  const wrap = (value: unknown) => (type.items === undefined ? { one: value } : [value]);
  return [...own, ...within.map(({ place, value }) => ({ place, value: wrap(value) }))];
}

/** Values that are wrong in all their parts. In a list they all stand next to each other. */
function spoilValue(type: PropertySchema, right: unknown): readonly unknown[] {
  const of = findObject(type);
  if (of !== undefined) return [...listWrong(type), ...spoilObject(of, (right ?? {}) as Inputs)];
  const inner = type.items ?? type.additionalProperties;
  if (inner === undefined) return listWrong(type);
  const [first] = Object.values(right ?? {});
  const within = spoilValue(inner, first);
  if (type.items !== undefined) return [...listWrong(type), within];
  return [...listWrong(type), ...within.map((value) => ({ one: value }))];
}

function spoilObject({ properties }: Pick<ObjectSchema, "properties">, right: Inputs): readonly Inputs[] {
  const spoiled = Object.entries(properties).map(
    ([name, type]) => [name, spoilValue(type, right[name])] as const,
  );
  const most = Math.max(...spoiled.map(([, values]) => values.length));
  // The last alternative of each field goes deepest.
  const sets = Array.from({ length: most }, (_, index) =>
    Object.fromEntries(spoiled.map(([name, values]) => [name, values[Math.min(index, values.length - 1)]])),
  );
  return sets.map((set, index) => ({ ...set, ...unknownFields[index % unknownFields.length] }));
}

const unknownFields: readonly Inputs[] = [
  { [`tcp:${canary}`]: null },
  { [canary]: canary },
  { timeout: canary },
];

/** Values that do not have this type. They are not unknown values and not references. */
function listWrong(type: PropertySchema): readonly unknown[] {
  switch (type.type) {
    case "string":
      return [{ [canary]: canary }, [canary]];
    case "integer":
    case "number":
    case "boolean":
      return [`${canary}x`, { [canary]: canary }];
    default:
      return [`text of ${canary}`];
  }
}

function findObject(type: PropertySchema): ObjectSchema | undefined {
  const prefix = "#/types/";
  return type.$ref?.startsWith(prefix) ? schema.types[type.$ref.slice(prefix.length)] : undefined;
}
