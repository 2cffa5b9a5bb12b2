import { unreachable } from "../../errors.js";
import type { ClientKnock } from "../../knock/clients/client-knock.js";
import type { KnockStep } from "../../knock/packet.js";
import { needsEcho } from "../../knock/preflight.js";
import type { Supply, SupplyContext } from "./supply.js";

/** How long to wait for a port after the first knock. After the second knock it is twice as long, and so on. */
const patienceMs = 1_000;
/** The wait where there is nothing to send again. */
const plainPatienceMs = 10_000;

const defaultTries = 3;

/** Makes the supply for a gate. */
export async function makeSupply(knock: ClientKnock, context: SupplyContext): Promise<Supply> {
  switch (knock.kind) {
    case "sequence":
      return supplySequence(knock.steps, context.tries ?? defaultTries);
    case "tokens": {
      // Loaded only here: a sequence needs no cryptography and no file of used slots.
      const { supplyTokens } = await import("./token-supply.js");
      return supplyTokens(knock, context);
    }
    default:
      return unreachable(knock);
  }
}

function supplySequence(steps: readonly KnockStep[], tries: number): Supply {
  const isNothing = steps.length === 0;
  return {
    word: "knock",
    tries: isNothing ? 0 : tries,
    isEcho: needsEcho(steps),
    patienceMs: (attempt) => (isNothing ? plainPatienceMs : patienceMs * attempt),
    next: async () => steps,
    giveBack: async () => undefined,
    finish: async () => [],
  };
}
