import { join } from "node:path";
import type { Lab } from "../../lab/lab";
import { openStack } from "../../lab/stack";
import type { SlowLink } from "../hosts/slow-link";
import type { Subject } from "../rounds";
import { type Declared, subjects } from "../scale/subjects";
import { ours } from "./hosts";

export const noOp = "a resource that does nothing";

/**
 * Brings the lab's fourth host, and a resource that does nothing, to what their programs declare, by the real engine. A
 * measurement is one preview of it: its time, and how many packets went to the host.
 */
export async function openPreviews(
  lab: Lab,
  link: SlowLink | undefined,
  directory: string,
): Promise<readonly Subject[]> {
  const host = lab.hosts[3];
  if (host === undefined || link === undefined) throw new Error("too few hosts");
  const declared: Declared = {
    hosts: [{ name: host.name, address: link.address, hostKey: host.hostKey }],
    login: { user: "root", privateKey: lab.privateKey },
    turns: new Map(),
    ballast: 0,
  };
  const programs = [
    [ours, subjects.gates(declared)],
    [noOp, subjects.floor(declared)],
  ] as const;
  return Promise.all(
    programs.map(async ([name, program], index) => {
      const stack = await openStack(join(directory, `preview${index}`), program, "preview");
      await stack.up();
      if (name === ours && (await link.count()).packetsSent === 0) throw new Error("the link counts nothing");
      return {
        name,
        measure: async () => {
          const startedMs = performance.now();
          const { changeSummary } = await stack.preview();
          const ms = performance.now() - startedMs;
          if (Object.keys(changeSummary).join() !== "same") throw new Error(`${name}: something changed`);
          return [ms, (await link.count()).packetsSent];
        },
      };
    }),
  );
}
