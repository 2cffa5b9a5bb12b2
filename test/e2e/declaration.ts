import { type GateArgs, KnockGate, type StepArgs } from "knockgate";
import type { LabHost } from "../lab/host";

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
  readonly dialErrorLimit?: number;
  readonly perDialTimeout?: number;
  adopt?: boolean;
  deleteUnreachable?: boolean;
}

export function declare(host: LabHost, privateKey: string, steps: readonly StepArgs[]): Declaration {
  const { ipv4, hostKey } = host;
  return { host: ipv4, hostKey, privateKey, steps, openForSeconds: 3, undoAfterSeconds: 60, gates: [] };
}

/** A program as a user would write it, over what is declared when it runs. */
export function gateProgram(declared: Declaration): () => Promise<Record<string, unknown>> {
  return async () => {
    const gate = new KnockGate("edge", {
      connection: {
        host: declared.host,
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
    return { ruleset: gate.ruleset, digest: gate.digest, knock: gate.knock };
  };
}
