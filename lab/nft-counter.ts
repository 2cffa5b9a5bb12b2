import type { LabMachine } from "./machine";

/** Reads how many packets a named counter of a table of family inet has counted. */
export async function readCounter(machine: LabMachine, table: string, name: string): Promise<number> {
  const { stdout } = await machine.run(["nft", "-j", "list", "counter", "inet", table, name]);
  const listing: { nftables: { counter?: { name: string; packets: number } }[] } = JSON.parse(stdout);
  const counter = listing.nftables.find((entry) => entry.counter?.name === name)?.counter;
  if (counter === undefined) throw new Error(`lab: ${machine.name} lists no counter ${name}`);
  return counter.packets;
}
