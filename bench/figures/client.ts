import { join } from "node:path";
import { saveProfile } from "../../src/cli/profiles/profile-store";
import { writeKnockCommands } from "../../src/knock/clients/knock-commands";
import { readStep } from "../../src/policy/step";
import { locateLetmein } from "../../tools/setup/letmein-place.mjs";
import { firstLine } from "../facts";
import type { Bench, Figure, Goal, Outcome } from "../figure";
import { type BenchHost, doorPort, openBenchHosts } from "../hosts/bench-hosts";
import { configureFwknop, makeFwknopKeys, startFwknopd } from "../hosts/fwknop";
import { configureLetmein, makeLetmeinKey, startLetmeind } from "../hosts/letmein";
import { loadRuleset } from "../hosts/load-ruleset";
import { type Prober, startProber } from "../hosts/prober";
import { renderOurs, shapeGates } from "../hosts/rulesets";
import { root } from "../root";
import { measureRounds, type Subject } from "../rounds";

const quantity = "start of the client to first connection";
const ours = ["knockgate knock", "knockgate proxy"] as const;
const bare = "a bare Node program";
const place = (subject: string) => ({ quantity, scenario: "", subject });

/** How long a person waits from the command to the open door. */
export const client: Figure = {
  name: "client",
  title: "From the client's start to the open door",
  method:
    "A program starts the client as a process of its own and asks the door every 0.5 ms until a connection comes through; the clock runs from " +
    "just before fork(2). The gate is Knockgate's, of three SYNs, with nftables; fwknop's client opens a door of fwknopd, letmein's one of letmeind. The door is closed " +
    "again before each round. `knockgate` has the knock from a profile. “documented line” is what the output `knock` of a stack gives to people, " +
    "with 150 ms from step to step, so that packets can't overtake each other on the way. A bare Node program does nothing but send the three " +
    "SYNs, each when the one before was answered: no client in Node can be faster.",
  references: [bare, "knock(1)", "nmap, documented line", "fwknop", "letmein"],
  ours,
  rounds: { quick: 10, full: 60 },
  goals: ours.flatMap((subject): readonly Goal[] => [
    {
      claim: `${subject}: no slower than nmap`,
      of: place(subject),
      to: place("nmap, documented line"),
      atMost: 1,
    },
    { claim: `${subject}: no slower than fwknop`, of: place(subject), to: place("fwknop"), atMost: 1 },
    {
      claim: `${subject}: no slower than letmein`,
      of: place(subject),
      to: place("letmein"),
      atMost: 1,
      why: "letmein's client is one compiled program; Node alone takes longer to start.",
    },
    {
      claim: `${subject}: no slower than knock(1)`,
      of: place(subject),
      to: place("knock(1)"),
      atMost: 1,
      why: "knock(1) is a small program in C that sends its packets and asks nobody whether they came; Node alone takes longer to start.",
    },
  ]),
  charts: [{ quantity, title: "Start of the client to first connection" }],
  run,
};

async function run({ rounds, directory, say }: Bench): Promise<Outcome> {
  const bench = await openBenchHosts(3);
  try {
    const [gated, fwknopHost, letmeinHost] = bench.hosts;
    if (gated === undefined || fwknopHost === undefined || letmeinHost === undefined)
      throw new Error("too few hosts");
    const prober = await startProber(bench.client);
    const [gate] = shapeGates(1);
    if (gate === undefined) throw new Error("no gate");
    await loadRuleset(gated.machine, "nftables", renderOurs("nftables", [gate]));
    const fwknopKeys = makeFwknopKeys();
    await startFwknopd(fwknopHost, fwknopKeys);
    const fwknop = configureFwknop(fwknopHost, fwknopKeys, directory);
    const letmeinKey = makeLetmeinKey();
    await startLetmeind(letmeinHost, letmeinKey);
    const letmein = configureLetmein(letmeinHost, letmeinKey, directory);
    const commands = await listCommands(gated, gate.steps, directory);
    const subjects = [
      ...commands.map(([name, command]) =>
        startAt(name, command, gated, prober, () =>
          gated.machine.run(["nft", "-f", "-"], { stdin: "flush set inet knockgate_bench gate1_open_v4\n" }),
        ),
      ),
      {
        name: "fwknop",
        measure: async () => {
          const source = fwknopHost.takeSource();
          return [await prober.run(fwknopHost, source, fwknop.command(source))];
        },
      },
      // It fails when no door is open.
      startAt("letmein", letmein.knock, letmeinHost, prober, () =>
        bench.client.run(letmein.revoke, { check: false }),
      ),
    ];
    say("hosts are ready");
    const series = await measureRounds(subjects, {
      quantities: [{ name: quantity, unit: "ms" }],
      scenario: "",
      rounds,
      again: "knockgate knock",
    });
    const facts = {
      nmap: firstLine("nmap", "--version"),
      fwknop: firstLine("fwknop", "--version"),
      letmein: firstLine(locateLetmein("letmein"), "--version"),
    };
    return { series, facts };
  } finally {
    await bench.close();
  }
}

async function listCommands(
  { address }: BenchHost,
  ports: readonly number[],
  directory: string,
): Promise<readonly (readonly [string, readonly string[]])[]> {
  const steps = ports.map((tcp) => ({ tcp }));
  const way = { host: address, port: doorPort, user: "root" };
  const gate = {
    gate: "gate1",
    protect: [{ tcp: `${doorPort}` }],
    steps,
    stepTimeoutSeconds: 5,
    openForSeconds: 30,
  };
  await saveProfile({ XDG_CONFIG_HOME: directory }, { name: "bench", way, gates: [gate] });
  const main = join(root, "dist", "cli", "main.js");
  const knockgate = ["/usr/bin/env", `XDG_CONFIG_HOME=${directory}`, process.execPath, main];
  const documented = writeKnockCommands(steps.map(readStep), way);
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
  ];
}

/** Programs send from the client's own address on the link. */
function startAt(
  name: string,
  command: readonly string[],
  host: BenchHost,
  prober: Prober,
  close: () => Promise<unknown>,
): Subject {
  const source = host.address.replace(/2$/, "1");
  return {
    name,
    measure: async () => {
      await close();
      return [await prober.run(host, source, command)];
    },
  };
}
