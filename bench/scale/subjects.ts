import * as pulumi from "@pulumi/pulumi";
import { KnockFleet, KnockGate, type RolloutArgs, type StepArgs } from "knockgate";

export interface TargetHost {
  readonly name: string;
  readonly address: string;
  readonly hostKey: string;
}

/** What a program declares. It changes from one run of the engine to the next. */
export interface Declared {
  readonly hosts: readonly TargetHost[];
  readonly login: {
    readonly user: string;
    readonly privateKey: string;
    readonly privateKeyPassword?: string;
    readonly transport?: TransportName;
  };
  /** How often each host's declaration was changed. */
  readonly turns: Map<string, number>;
  /** The size in bytes of the no-ops' argument. A tenth of it is secret. */
  readonly ballast: number;
}

/** What speaks SSH. */
export type TransportName = "ssh2" | "openssh";

export type SubjectName = "floor" | "ballast" | "gates" | "fleet" | "wave";

/** Programs that declare the same number of hosts or no-ops, each with one resource and one component. */
export const subjects: Readonly<Record<SubjectName, (declared: Declared) => () => Promise<void>>> = {
  floor: (declared) => async () => declareNoOps(declared, 0),
  ballast: (declared) => async () => declareNoOps(declared, declared.ballast),
  gates:
    ({ hosts, login, turns }) =>
    async () => {
      for (const { name, address, hostKey } of hosts) {
        new KnockGate(name, {
          connection: { host: address, hostKey, ...login },
          policy: makePolicy(turns.get(name) ?? 0),
        });
      }
    },
  fleet: (declared) => declareFleet(declared, { waves: [{ count: 1 }, { percent: 10 }, { percent: 100 }] }),
  wave: (declared) => declareFleet(declared),
};

/** The third step. A broken host never receives it. */
export const lastPort = 9_633;

export function makePolicy(turn: number) {
  const steps: StepArgs[] = [{ tcp: 7_411 }, { udp: 8_522 + turn }, { tcp: lastPort }];
  return { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] };
}

/** Without a rollout all hosts are one wave. */
function declareFleet({ hosts, login, turns }: Declared, rollout?: RolloutArgs): () => Promise<void> {
  return async () => {
    new KnockFleet("fleet", {
      connection: login,
      hosts: Object.fromEntries(
        hosts.map(({ name, address, hostKey }) => {
          const own = turns.has(name) ? { policy: makePolicy(turns.get(name) ?? 0) } : {};
          return [name, { connection: { host: address, hostKey }, ...own }];
        }),
      ),
      policy: makePolicy(0),
      ...(rollout === undefined ? {} : { rollout }),
    });
  };
}

function declareNoOps({ hosts, turns }: Declared, bytes: number): void {
  for (const { name } of hosts) {
    const component = new pulumi.ComponentResource("bench:index:NoOp", name);
    new NoOp(name, { bytes, turn: turns.get(name) ?? 0 }, { parent: component });
  }
}

const provider: pulumi.dynamic.ResourceProvider = {
  async create(inputs) {
    return { id: "no-op", outs: inputs };
  },
  async diff(_id, olds, news) {
    return { changes: olds.turn !== news.turn };
  },
  async update(_id, _olds, news) {
    return { outs: news };
  },
};

class NoOp extends pulumi.dynamic.Resource {
  constructor(
    name: string,
    { bytes, turn }: { readonly bytes: number; readonly turn: number },
    opts: pulumi.CustomResourceOptions,
  ) {
    const secret = pulumi.secret("s".repeat(Math.round(bytes / 10)));
    super(provider, name, { turn, plain: "p".repeat(bytes), secret }, opts);
  }
}
