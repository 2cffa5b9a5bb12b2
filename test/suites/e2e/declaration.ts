import * as pulumi from "@pulumi/pulumi";
import { type GateArgs, KnockGate, type StepArgs } from "knockgate";
import type { LabHost } from "../../../lab/host";

/** What an end-to-end test declares; tests change it between one `up` and the next. */
export interface Declaration {
  readonly host: string;
  readonly hostKey: string;
  readonly privateKey: string;
  steps: readonly StepArgs[];
  openForSeconds: number;
  undoAfterSeconds: number;
  /** Further gates beside `ssh`. */
  gates: readonly GateArgs[];
  readonly backend?: string;
  dialErrorLimit?: number | undefined;
  /** Whether the host's address is unknown in a preview. */
  isHostUnknown?: boolean;
  readonly perDialTimeout?: number;
  adopt?: boolean;
  deleteUnreachable?: boolean;
}

export function declare(host: LabHost, privateKey: string, steps: readonly StepArgs[]): Declaration {
  const { ipv4, hostKey } = host;
  return { host: ipv4, hostKey, privateKey, steps, openForSeconds: 3, undoAfterSeconds: 60, gates: [] };
}

/** An output of a resource that does not exist yet: a preview does not know it. */
function makeUnknown(value: string): pulumi.Output<string> {
  const known = Promise.resolve(!pulumi.runtime.isDryRun());
  const Output = pulumi.Output as unknown as new (...parts: unknown[]) => pulumi.Output<string>;
  return new Output([], Promise.resolve(value), known, Promise.resolve(false), Promise.resolve([]));
}

/** A program as a user would write it, over what is declared when it runs. */
export function gateProgram(declared: Declaration): () => Promise<Record<string, unknown>> {
  return async () => {
    const gate = new KnockGate("edge", {
      connection: {
        host: declared.isHostUnknown === true ? makeUnknown(declared.host) : declared.host,
        user: "ops",
        privateKey: declared.privateKey,
        hostKey: declared.hostKey,
        ...(declared.dialErrorLimit === undefined ? {} : { dialErrorLimit: declared.dialErrorLimit }),
        ...(declared.perDialTimeout === undefined ? {} : { perDialTimeout: declared.perDialTimeout }),
      },
      policy: {
        name: "edge",
        ...(declared.backend === undefined ? {} : { backend: declared.backend }),
        gates: [
          {
            name: "ssh",
            protect: [{ tcp: "22" }],
            knock: { steps: [...declared.steps] },
            openForSeconds: declared.openForSeconds,
          },
          ...declared.gates,
        ],
      },
      undoAfterSeconds: declared.undoAfterSeconds,
      ...(declared.adopt === undefined ? {} : { adopt: declared.adopt }),
      ...(declared.deleteUnreachable === undefined ? {} : { deleteUnreachable: declared.deleteUnreachable }),
    });
    const { ruleset, digest, knock, counters } = gate;
    return { ruleset, digest, knock, counters };
  };
}
