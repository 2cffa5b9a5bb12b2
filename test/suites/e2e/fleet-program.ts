import { type FleetHostArgs, KnockFleet, type RolloutArgs, type StepArgs } from "knockgate";

/** What the tests of a fleet declare; they change it between one `up` and the next. */
export interface FleetDeclaration {
  readonly privateKey: string;
  hosts: Readonly<Record<string, FleetHostArgs>>;
  steps: readonly StepArgs[];
  rollout: RolloutArgs;
  undoAfterSeconds?: number;
}

/** A program as a user would write it, over what is declared when it runs. */
export function fleetProgram(declared: FleetDeclaration) {
  return async () => {
    const fleet = new KnockFleet("web", {
      hosts: declared.hosts,
      connection: { user: "ops", privateKey: declared.privateKey, perDialTimeout: 4, dialErrorLimit: 0 },
      policy: {
        name: "edge",
        gates: [
          { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...declared.steps] }, openForSeconds: 1 },
        ],
        acceptRisks: ["window-too-short"],
      },
      rollout: declared.rollout,
      ...(declared.undoAfterSeconds === undefined ? {} : { undoAfterSeconds: declared.undoAfterSeconds }),
    });
    const { summary, hosts, profiles } = fleet;
    return { summary, knock: hosts["a"]?.knock, hosts, profiles };
  };
}
