import { join } from "node:path";
import { type LabMachine, placeMachine } from "../../lab/machine";
import { makeNamespaces } from "../../lab/namespaces";
import { startBeside } from "../../lab/start-beside";
import { openDialogue } from "./dialogue";
import { tokenPort } from "./rulesets";

export const trafficKinds = [
  "established",
  "unrelated",
  "unrelatedTcp",
  "flood1",
  "flood100000",
  "midKnock",
  "wrongTokens",
] as const;
export type TrafficKind = (typeof trafficKinds)[number];

const unrelatedPort = 5_140;

/** A network namespace of its own, and the pump that hands packets to it. */
export interface PacketHost {
  readonly machine: LabMachine;
  /**
   * Returns how many nanoseconds of processor time a packet costs the host, and how many packets the host takes in a
   * second of processor time, the pump's own time included.
   */
  pump(kind: TrafficKind, milliseconds: number): Promise<readonly [number, number]>;
  close(): Promise<void>;
}

/** @param steps the sequence of the first gate */
export async function openPacketHost(name: string, steps: readonly number[]): Promise<PacketHost> {
  const namespaces = await makeNamespaces(name);
  const machine = placeMachine(namespaces, { ipv4: "192.0.2.1", ipv6: "" });
  await machine.run([
    "sh",
    "-c",
    "echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter; echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter",
  ]);
  const ports = [unrelatedPort, ...steps.slice(0, 2), tokenPort].map(String);
  const pump = ["perl", join(__dirname, "packet-pump.pl"), ...ports];
  const { ask } = await openDialogue(startBeside(machine, ["taskset", "-c", "1", ...pump]));
  return {
    machine,
    pump: async (kind, milliseconds) => {
      const [nanoseconds, perSecond] = (await ask(`${kind} ${milliseconds}`)).split(" ").map(Number);
      if (nanoseconds === undefined || perSecond === undefined)
        throw new Error(`${name}: the pump told nothing`);
      return [nanoseconds, perSecond];
    },
    close: () => namespaces.end(),
  };
}
