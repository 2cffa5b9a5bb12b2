import type { StepInput } from "../../src/policy/step";
import type { WrittenPolicy } from "../../src/policy/written-policy";
import { check, create, diff, read, delete as remove, update } from "../../src/pulumi/operations";
import type { Properties } from "../../src/pulumi/properties";

/** A resource as the engine keeps it: its state, and what the program gives. */
export interface Managed {
  readonly id: string;
  readonly state: Properties;
  /** What a refresh put into the state. */
  refresh(): Promise<readonly string[]>;
  /** Whether `up` would do something. */
  isDue(more?: Given): Promise<boolean>;
  /** What `up` does; nothing where nothing is due. */
  up(more?: Given): Promise<void>;
  destroy(): Promise<void>;
}

/** What a program gives, its steps as they are written. */
export interface Given {
  readonly policy?: WrittenPolicy | GivenPolicy;
  readonly [name: string]: unknown;
}

interface GivenPolicy {
  readonly gates: readonly { readonly knock: { readonly steps: readonly StepInput[] } }[];
  readonly [field: string]: unknown;
}

/** Makes a resource by the operations alone, as the engine calls them: check, diff, then what is due. */
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
