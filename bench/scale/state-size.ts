import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** How large a stack's state is, in bytes as the file backend writes it. */
export interface StateSize {
  readonly bytes: number;
  readonly bytesPerHost: number;
  /** With PULUMI_DIY_BACKEND_GZIP. */
  readonly gzipBytesPerHost: number;
  /** Bytes a host of each part of the state, largest first: a property of a type of resource, or what the engine adds. */
  readonly parts: Readonly<Record<string, number>>;
}

type StoredResource = Readonly<Record<string, unknown>> & { readonly type: string };

/** Makes the state of the no-ops as large as that of gates. The state holds an argument twice. */
export function chooseBallast(gates: StateSize | undefined, floor: StateSize | undefined): number {
  const difference = (gates?.bytesPerHost ?? 0) - (floor?.bytesPerHost ?? 0);
  return Math.max(0, Math.round(difference / 2.2));
}

/** The file that a stack of `openStack` is kept in. */
export function findStateFile(directory: string, stack: string): string {
  return join(directory, "backend", ".pulumi", "stacks", "knockgate-lab", `${stack}.json`);
}

/** @param file a stack's state in the file backend, with its secrets encrypted */
export function weighState(file: string, hosts: number): StateSize {
  const text = readFileSync(file, "utf8");
  const stored: {
    readonly checkpoint: { readonly latest: { readonly resources: readonly StoredResource[] } };
  } = JSON.parse(text);
  const { resources } = stored.checkpoint.latest;
  const sizes = new Map<string, number>();
  const add = (part: string, size: number) => sizes.set(part, (sizes.get(part) ?? 0) + size);
  for (const resource of resources) {
    for (const [part, size] of listParts(resource)) add(part, size);
  }
  const bytes = Buffer.byteLength(text);
  add("around the resources", bytes - [...sizes.values()].reduce((sum, size) => sum + size, 0));
  const perHost = [...sizes].map(([part, size]) => [part, Math.round(size / hosts)] as const);
  return {
    bytes,
    bytesPerHost: Math.round(bytes / hosts),
    gzipBytesPerHost: Math.round(gzipSync(text).length / hosts),
    parts: Object.fromEntries(perHost.sort(([, one], [, other]) => other - one)),
  };
}

/** What the engine adds to each resource, and what it is. */
const added: Readonly<Record<string, string>> = {
  created: "times",
  modified: "times",
  sourcePosition: "lines of the program",
  stackTrace: "lines of the program",
  dependencies: "dependencies",
  propertyDependencies: "dependencies",
};

/** Lists the parts of a resource. Their sizes add up to that of the resource and the comma behind it. */
function listParts({ type, ...resource }: StoredResource): readonly (readonly [string, number])[] {
  // What stands once in a stack, whatever it has.
  if (/^pulumi:(pulumi|providers):/.test(type))
    return [["stack and provider", weigh({ type, ...resource }) + 1]];
  const name = type.split(":").at(-1) ?? "";
  const { inputs = {}, outputs = {}, ...others } = resource;
  const properties = Object.entries({ inputs, outputs }).flatMap(([kind, held]) =>
    Object.entries(held as object).map(([property, value]) => {
      return [`${name}: ${property}, ${kind}`, weighField(property, value)] as const;
    }),
  );
  const fields = Object.entries(others).map(([field, value]) => {
    return [`${name}: ${added[field] ?? "names"}`, weighField(field, value)] as const;
  });
  const listed = [...properties, ...fields];
  const rest = weigh({ type, ...resource }) + 1 - listed.reduce((sum, [, size]) => sum + size, 0);
  return [...listed, [`${name}: names`, rest]];
}

/** With its name, the colon and the comma. */
function weighField(name: string, value: unknown): number {
  return weigh({ [name]: value }) - 1;
}

function weigh(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
