import type { LabMachine } from "../../lab/machine";
import type { Loader } from "./rulesets";

/**
 * Loads a ruleset into a machine that has none: text for nft, for iptables-restore, or Knockgate's text for both
 * families.
 */
export async function loadRuleset(machine: LabMachine, loader: Loader, text: string): Promise<void> {
  if (loader === "nftables") {
    await machine.run(["nft", "-f", "-"], { stdin: text });
    return;
  }
  const restore = (family: "ip" | "ip6", stdin: string) => {
    const tool = loader === "iptables-nft" ? "tables-nft-restore" : "tables-legacy-restore";
    return machine.run([`${family}${tool}`, "-w", "10", "--noflush"], { stdin });
  };
  const [ipv4 = "", ipv6] = text.split(/^# ipv6\n/m);
  await restore("ip", ipv4);
  if (ipv6 !== undefined) await restore("ip6", ipv6);
}
