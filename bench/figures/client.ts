import { locateLetmein } from "../../tools/setup/letmein-place.mjs";
import { firstLine } from "../facts";
import type { Bench, Figure, Goal, Outcome } from "../figure";
import { type BenchHost, openBenchHosts } from "../hosts/bench-hosts";
import { bare, listCommands, nameTokenConfig, prepareTokens } from "../hosts/clients";
import { configureFwknop, makeFwknopKeys, startFwknopd } from "../hosts/fwknop";
import { configureLetmein, makeLetmeinKey, startLetmeind } from "../hosts/letmein";
import { loadRuleset } from "../hosts/load-ruleset";
import { type Prober, startProber } from "../hosts/prober";
import { renderOurs, shapeGates } from "../hosts/rulesets";
import { measureRounds, type Subject } from "../rounds";

const quantity = "start of the client to first connection";
const inNode = ["knockgate knock", "knockgate proxy"] as const;
const inBash = [
  "standalone script",
  "output sshConfig",
  "standalone script, token",
  "output sshConfig, token",
] as const;
const whyTwice: Readonly<Record<(typeof inBash)[number], string>> = {
  "standalone script": "bash alone takes longer to start than knock(1) takes.",
  "output sshConfig": "a sh and a bash start, one after the other, as ssh starts them.",
  "standalone script, token":
    "bash computes two blocks of SHA-256, which takes it as long as it takes to start; knock(1) computes nothing.",
  "output sshConfig, token":
    "sha256sum runs twice, and bash starts a process for each of its pipes; the standalone script needs neither, but is too long for an output.",
};
const place = (subject: string) => ({ quantity, scenario: "", subject });

/** How long a person waits from the command to the open door. */
export const client: Figure = {
  name: "client",
  title: "From the client's start to the open door",
  method:
    "A program starts the client as a process of its own and asks the door every 0.5 ms until a connection comes through; the clock runs from " +
    "just before fork(2). The gate is Knockgate's, of three SYNs, with nftables; fwknop's client opens a door of fwknopd, letmein's one of letmeind. The door is closed " +
    "again before each round. `knockgate` has the knock from a profile. “documented line” is what the output `knock` of a stack gives to people, " +
    "with 150 ms from step to step, so that packets can't overtake each other on the way. The standalone script is what `knockgate ssh-config " +
    "--standalone` writes, run by bash; “output sshConfig” is the ProxyCommand of that output, as a line of a shell. Those of a " +
    "token open a gate that tokens open, each in a slot that was not used before. A bare Node program does nothing but send the three " +
    "SYNs, each when the one before was answered: no client in Node can be faster.",
  references: [bare, "knock(1)", "nmap, documented line", "fwknop", "letmein"],
  ours: [...inNode, ...inBash],
  rounds: { quick: 10, full: 20 },
  goals: [...inNode.flatMap(listGoals), ...inBash.map(limitToTwice)],
  charts: [{ quantity, title: "Start of the client to first connection" }],
  run,
};

function limitToTwice(subject: (typeof inBash)[number]): Goal {
  return {
    claim: `${subject}: at most twice knock(1)`,
    of: place(subject),
    to: place("knock(1)"),
    atMost: 2,
    why: whyTwice[subject],
  };
}

function listGoals(subject: (typeof inNode)[number]): readonly Goal[] {
  return [
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
  ];
}

async function run({ rounds, directory, say }: Bench): Promise<Outcome> {
  const bench = await openBenchHosts(4);
  try {
    const [gated, tokenHost, fwknopHost, letmeinHost] = bench.hosts;
    if (!gated || !tokenHost || !fwknopHost || !letmeinHost) throw new Error("too few hosts");
    const prober = await startProber(bench.client, [
      `XDG_CONFIG_HOME=${directory}`,
      `KNOCKGATE_SSH_CONFIG=${nameTokenConfig(directory)}`,
    ]);
    const [gate] = shapeGates(1);
    if (gate === undefined) throw new Error("no gate");
    await loadRuleset(gated.machine, "nftables", renderOurs("nftables", [gate]));
    const fwknopKeys = makeFwknopKeys();
    await startFwknopd(fwknopHost, fwknopKeys);
    const fwknop = configureFwknop(fwknopHost, fwknopKeys, directory);
    const letmeinKey = makeLetmeinKey();
    await startLetmeind(letmeinHost, letmeinKey);
    const letmein = configureLetmein(letmeinHost, letmeinKey, directory);
    const commands = await listCommands(gated, gate, directory);
    const close = "flush set inet knockgate_bench gate1_open_v4\n";
    const { refill, tokenCommands } = await prepareTokens(tokenHost, directory);
    const subjects = [
      ...commands.map(([name, command]) =>
        startAt(name, command, gated, prober, () => gated.machine.run(["nft", "-f", "-"], { stdin: close })),
      ),
      ...tokenCommands.map(([name, command]) =>
        startAt(name, command, tokenHost, prober, () =>
          tokenHost.machine.run(["nft", "-f", "-"], { stdin: `${close}${refill()}` }),
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
