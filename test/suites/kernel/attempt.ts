import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  doorPort,
  families,
  type GatedLab,
  type GateInput,
  gateBefore,
  loadPolicy,
  lookAt,
  openGatedLab,
  policyOf,
  waitForOpen,
} from "./gated-lab";
import { datagram, type Move, play, syn } from "./moves";

/** A claim about one gate: after these moves of its source it is open, or closed. */
export interface Attempt {
  readonly claim: string;
  readonly gate: GateInput;
  readonly moves: readonly Move[];
  readonly isOpen: boolean;
}

export function opens(claim: string, gate: GateInput, ...moves: readonly Move[]): Attempt {
  return { claim, gate, moves, isOpen: true };
}

export function staysClosed(claim: string, gate: GateInput, ...moves: readonly Move[]): Attempt {
  return { claim, gate, moves, isOpen: false };
}

export function tcp(...ports: readonly number[]): NonNullable<GateInput["knock"]["steps"]> {
  return ports.map((port) => ({ tcp: port }));
}

/** The gates that most attempts are about. */
export const three = gateBefore(tcp(7_000, 8_000, 9_000));
export const lax = gateBefore(tcp(7_000, 8_000, 9_000), { strict: false });
export const mixed = gateBefore([{ tcp: 7_000 }, { udp: 8_000 }, { tcp: 9_000 }]);

const sixteenPorts = Array.from({ length: 16 }, (_, index) => 7_001 + ((index * 7) % 16) * 100);
export const sixteen = gateBefore(
  sixteenPorts.map((port, index) => (index % 3 === 2 ? { udp: port } : { tcp: port })),
);
export const sixteenMoves = sixteenPorts.map((port, index) => (index % 3 === 2 ? datagram(port) : syn(port)));

/** Makes two tests of each attempt, over IPv4 and over IPv6. */
export function testAttempts(attempts: readonly Attempt[]): void {
  let gated: GatedLab;
  beforeAll(async () => {
    gated = await openGatedLab(5);
  });
  afterAll(() => gated?.close());

  describe.concurrent.each(families)("over %s a gate", (family) => {
    const titled = attempts.map((attempt) => [attempt.claim, attempt] as const);
    test.for(titled)("%s", async ([, { gate, moves, isOpen }]) => {
      await gated.withHost(async (host) => {
        await loadPolicy(host, policyOf([gate]));
        const address = host[family];
        await play(moves, address, gated);
        const look = isOpen ? waitForOpen : lookAt;
        const looks = [look(gated.knocker, address, doorPort), lookAt(gated.other, address, doorPort)];
        expect(await Promise.all(looks)).toEqual([isOpen ? "open" : "closed", "closed"]);
      });
    });
  });
}
