import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ObjectSchema, PackageSchema, PropertySchema } from "./schema-types";

export const schema: PackageSchema = JSON.parse(
  readFileSync(join(__dirname, "..", "..", "dist", "plugin", "schema.json"), "utf8"),
);

/** Stands in each value and in each name that is not known; nothing may ever say it. */
export const canary = "canary17411";

/** As a program writes its arguments. */
export type Inputs = Readonly<Record<string, unknown>>;

/** What is wrong with an input, and where. */
export interface Broken {
  readonly place: string;
  readonly inputs: Inputs;
}

/**
 * Walks all inputs of a resource by the schema: at each place, at any depth, there is once a value of a wrong type, once
 * text that is none of what belongs there, and in each object a field that is not known, in both forms that YAML makes of
 * a field with its value. All else is as a right program has it.
 */
export function breakInputs(token: string, right: Inputs): readonly Broken[] {
  const { inputProperties = {} } = schema.resources[token] ?? {};
  return breakObject({ properties: inputProperties }, right, "").map(({ place, value }) => {
    return { place, inputs: value as Inputs };
  });
}

/** All of them that can be wrong at once, in as few sets of inputs as there are alternatives at one place. */
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

/** Values that are wrong in all their parts; in a list they all have room beside each other. */
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
  // The last of each goes deepest.
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

/** Values that no such type has; they are no unknown values and no references either. */
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
