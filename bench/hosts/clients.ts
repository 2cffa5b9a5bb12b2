import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { saveProfile } from "../../src/cli/profiles/profile-store";
import { readClientKnock } from "../../src/knock/clients/client-knock";
import { writeKnockCommands } from "../../src/knock/clients/knock-commands";
import { makeProfile } from "../../src/knock/clients/profile";
import { writeSshConfig } from "../../src/knock/clients/ssh-config";
import { writeStandalone } from "../../src/knock/clients/standalone";
import { nameSlotList, slotListsFolder } from "../../src/knock/clients/used-slots";
import { readStep } from "../../src/policy/step";
import { slotAt, tokenOf } from "../../src/policy/token";
import { root } from "../root";
import { type BenchHost, doorPort } from "./bench-hosts";
import { loadTokens, writeTokens } from "./load-tokens";
import { type GateShape, shapePolicy, shapeTokenPolicy } from "./rulesets";

/** A client's name, and its command. */
type NamedCommand = readonly [name: string, command: readonly string[]];

/** Where the sshConfig's key is. */
export const nameTokenConfig = (directory: string): string => join(directory, "token.config");

/** A Node program that does nothing but knock. */
export const bare = "a bare Node program";

/** Writes the commands of clients that send a sequence, and the files that they read. */
export async function listCommands(
  { address }: BenchHost,
  gate: GateShape,
  directory: string,
): Promise<readonly NamedCommand[]> {
  const ports = gate.steps;
  const way = { host: address, port: doorPort, user: "root" };
  const policy = shapePolicy("nftables", [gate]);
  const profile = makeProfile("bench", way, policy);
  await saveProfile({ XDG_CONFIG_HOME: directory }, profile);
  const main = join(root, "dist", "cli", "main.js");
  const knockgate = [process.execPath, main];
  const script = join(directory, "sequence.sh");
  writeFileSync(script, writeStandalone([profile]), { mode: 0o600 });
  const documented = writeKnockCommands(
    ports.map((tcp) => readStep({ tcp })),
    way,
  );
  const shell = (line: string | undefined) => {
    if (line === undefined) throw new Error("a knock of SYNs has no such command");
    return ["/bin/sh", "-c", line];
  };
  const next = "const [port]=ports.splice(0,1);if(port)net.connect(port,host).on('error',next)";
  const program = `const net=require('net'),host='${address}',ports=[${ports}];(function next(){${next}})()`;
  return [
    ["knockgate knock", [...knockgate, "knock", "bench"]],
    ["knockgate proxy", [...knockgate, "proxy", "bench", `${doorPort}`]],
    [bare, [process.execPath, "-e", program]],
    ["knock(1)", ["/usr/bin/knock", address, ...ports.map((port) => `${port}:tcp`)]],
    ["knock(1), documented line", shell(documented.knock)],
    ["bash, documented line", shell(documented.bash)],
    ["nmap, documented line", shell(documented.nmap)],
    ["standalone script", ["/bin/bash", script, "bench", `${doorPort}`]],
    ["output sshConfig", readProxyCommand(writeSshConfig("bench", way, policy))],
  ];
}

/** A gate that the tokens of one user open, and the clients of that user. `refill` makes it as if no token was used. */
export async function prepareTokens(host: BenchHost, directory: string) {
  const policy = shapeTokenPolicy(1);
  const way = { host: host.address, port: doorPort, user: "root" };
  const list = ({ key, gate }: { readonly key: string; readonly gate: string }) => {
    const now = slotAt(Date.now(), policy.tokens.slotSeconds);
    return [now - 1, now, now + 1].map((slot) =>
      tokenOf(key, { policy: policy.name, gate, host: host.address, slot }),
    );
  };
  await loadTokens(host.machine, policy, list);
  const script = join(directory, "token.sh");
  const profile = makeProfile("bench", way, policy);
  writeFileSync(script, writeStandalone([profile]), { mode: 0o600 });
  const [knock] = profile.gates.map(readClientKnock);
  if (knock?.kind !== "tokens") throw new Error("no tokens open the gate");
  const slots = join(directory, "knockgate", slotListsFolder, nameSlotList(knock));
  const config = writeSshConfig("bench", way, policy);
  writeFileSync(nameTokenConfig(directory), config, { mode: 0o600 });
  const tokenCommands: readonly NamedCommand[] = [
    ["standalone script, token", ["/bin/bash", script, "bench", `${doorPort}`]],
    ["output sshConfig, token", readProxyCommand(config)],
  ];
  const refill = () => {
    rmSync(slots, { recursive: true, force: true });
    mkdirSync(slots, { recursive: true, mode: 0o700 });
    return writeTokens(policy, list).join("");
  };
  return { refill, tokenCommands };
}

/** The ProxyCommand of a block, as ssh starts it. */
function readProxyCommand(config: string): readonly string[] {
  const [, command = "exit 1"] = /ProxyCommand (.*)$/m.exec(config) ?? [];
  const line = command.replaceAll(/%[%p]/g, (word) => (word === "%p" ? `${doorPort}` : "%"));
  return ["/bin/sh", "-c", `exec ${line}`];
}
