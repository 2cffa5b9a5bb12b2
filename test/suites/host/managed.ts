import type { StepInput } from "../../../src/policy/step";
import type { WrittenPolicy } from "../../../src/policy/written-policy";
import type { Properties } from "../../../src/pulumi/properties";
import { check, create, diff, read, delete as remove, update } from "../../../src/pulumi/ruleset/operations";

/** A resource as the engine keeps it: its state, and the program's inputs. */
export interface Managed {
  readonly id: string;
  readonly state: Properties;
  /** Refreshes the state. Returns the drift. */
  refresh(): Promise<readonly string[]>;
  /** Tells whether `up` would do something. */
  isDue(more?: Given): Promise<boolean>;
  /** Does what `up` does; nothing when nothing is to change. */
  up(more?: Given): Promise<void>;
  destroy(): Promise<void>;
}

/** The program's inputs, with steps as users write them. */
export interface Given {
  readonly policy?: WrittenPolicy | GivenPolicy;
  readonly [name: string]: unknown;
}

interface GivenPolicy {
  readonly gates: readonly { readonly knock: { readonly steps: readonly StepInput[] } }[];
  readonly [field: string]: unknown;
}

/** Makes a resource only by the operations, in the engine's order: check, diff, then the operation that is needed. */
export async function manage(given: Given, from?: Properties): Promise<Managed> {
  const plan = async (olds: Properties, more: Given = {}) => {
    const { inputs, failures } = await check(olds, { redactionKey: "", ...given, ...more });
    if (failures.length > 0) throw new Error(JSON.stringify(failures));
    return inputs;
  };
  let state: Properties = from ?? {};
  let id = `${state["id"]}`;
  if (from === undefined) {
    const made = await create(await plan({}));
    ({ id, outs: state } = made);
  }
  const isDue = async (more?: Given) => (await diff(id, state, await plan(state, more))).changes;
  return {
    get id() {
      return id;
    },
    get state() {
      return state;
    },
    refresh: async () => {
      const seen = await read(id, state);
      state = seen.props ?? {};
      return (state["drift"] ?? []) as readonly string[];
    },
    isDue,
    up: async (more) => {
      if (await isDue(more)) ({ outs: state } = await update(id, state, await plan(state, more)));
    },
    destroy: () => remove(id, state),
  };
}
