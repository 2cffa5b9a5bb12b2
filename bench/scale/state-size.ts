import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** How large a stack's state is, in bytes as the file backend writes it. */
export interface StateSize {
  readonly bytes: number;
  readonly bytesPerHost: number;
  /** With PULUMI_DIY_BACKEND_GZIP. */
  readonly gzipBytesPerHost: number;
  /** The parts of the largest resource: each of its properties, inputs and outputs alike, largest first. */
  readonly properties: Readonly<Record<string, number>>;
}

interface StoredResource {
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

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
  const sorted = [...resources].sort((one, other) => weigh(other) - weigh(one));
  const [largest] = sorted.filter((resource) => resource.outputs !== undefined);
  const parts = (["inputs", "outputs"] as const).flatMap((part) =>
    Object.entries(largest?.[part] ?? {}).map(([name, value]): [string, number] => [
      `${part}.${name}`,
      weigh(value),
    ]),
  );
  const own = largest === undefined ? 0 : weigh(largest) - parts.reduce((sum, [, size]) => sum + size, 0);
  const properties = [...parts, ["the engine's own", own] satisfies [string, number]];
  return {
    bytes: Buffer.byteLength(text),
    bytesPerHost: Math.round(Buffer.byteLength(text) / hosts),
    gzipBytesPerHost: Math.round(gzipSync(text).length / hosts),
    properties: Object.fromEntries(properties.sort(([, one], [, other]) => other - one)),
  };
}

function weigh(value: unknown): number {
  return Buffer.byteLength(write(value));
}

/** The file backend indents by four. */
function write(value: unknown): string {
  return JSON.stringify(value, undefined, 4);
}
