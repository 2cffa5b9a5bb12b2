import type { PacketReading } from "../../../diagnose/capture/captured-packet.js";
import { parsePackets } from "../../../diagnose/capture/packet-text.js";
import { parsePcap } from "../../../diagnose/capture/pcap.js";
import { formatSimulation } from "../../../diagnose/format-simulation.js";
import { simulatePackets } from "../../../diagnose/simulate.js";
import { formatFindings } from "../../../policy/finding.js";
import { takePolicy } from "../../files/check-policy.js";
import { openBytes, readText } from "../../files/open-text.js";
import { readPolicyFile } from "../../files/policy-file.js";
import {
  type CommandContext,
  type CommandOutcome,
  type Invocation,
  UsageError,
} from "../../framework/command.js";

/** The first bytes of captures: pcap in both byte orders, with microseconds and with nanoseconds, and pcapng. */
const magics = ["a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a"];

/** Runs `knockgate simulate`. */
export async function runSimulate(
  invocation: Invocation,
  { input }: CommandContext,
): Promise<CommandOutcome> {
  const [policyName = "", packetsName] = invocation.arguments;
  if (packetsName === undefined) throw new UsageError("PACKETS or --from-host is missing");
  const policy = takePolicy(await readPolicyFile(policyName, input));
  const { packets, findings, skipped } = await readPackets(packetsName);
  const host = invocation.values("host");
  const tokenHost = invocation.value("token-host");
  const showSecrets = invocation.has("show-secrets");
  const simulation = simulatePackets(policy, packets, {
    showSecrets,
    ...(host.length === 0 ? {} : { host }),
    ...(tokenHost === undefined ? {} : { tokenHost }),
  });
  const wrong = findings.length === 0 ? "" : `${formatFindings(findings)}\n\n`;
  const left = skipped.map((line) => `left out: ${line}\n`).join("");
  const isOpen = simulation.verdicts.some((verdict) => verdict.isOpen);
  return {
    exitCode: isOpen && findings.length === 0 ? 0 : 1,
    text: `${wrong}${left}${formatSimulation(simulation).trimEnd()}\n`,
    json: { findings, skipped, ...simulation },
  };
}

async function readPackets(name: string): Promise<PacketReading> {
  const bytes = await openBytes(name);
  const isCapture = magics.includes(bytes.subarray(0, 4).toString("hex"));
  return isCapture ? parsePcap(bytes) : parsePackets(readText(name, bytes));
}
