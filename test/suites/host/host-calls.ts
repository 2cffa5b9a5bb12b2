import type { LabHost } from "../../../lab/host";

/** How often a host called nft. */
export interface NftCalls {
  /** Transactions that are tried and change nothing. */
  readonly checks: number;
  /** Transactions that change something. */
  readonly loads: number;
  /** Lists of tables and rules. */
  readonly listings: number;
  /** Lists of counters. A load and a proof read them once each; a proof does so again if its packet came later. */
  readonly readings: number;
}

const place = "/usr/local/sbin/nft";
const log = "/run/nft-calls";

/** Counts a host's calls of nft from now on. The count needs no further process on the host. */
export async function watchNft(host: LabHost): Promise<{ count(): Promise<NftCalls> }> {
  const program = `#!/bin/sh\necho "$*" >>${log}\nexec /usr/sbin/nft "$@"\n`;
  await host.run(["sh", "-c", `: >${log}; cat >${place}; chmod 0755 ${place}`], { stdin: program });
  return {
    count: async () => {
      const calls = (await host.run(["cat", log])).stdout.split("\n").slice(0, -1);
      const count = (pattern: RegExp) => calls.filter((call) => pattern.test(call)).length;
      return {
        checks: count(/^-c /),
        loads: count(/^-f /),
        listings: count(/ ?list (?!counters)/),
        readings: count(/ ?list counters/),
      };
    },
  };
}

/** A host has a process namespace of its own, which numbers its processes one after the other. This takes one number. */
export async function readNextPid(host: LabHost): Promise<number> {
  return Number((await host.run(["sh", "-c", "echo $$"])).stdout);
}
