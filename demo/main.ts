import { KnockGate, type PolicyArgs } from "knockgate";
import type { LabHost } from "../lab/host";
import { type Lab, openLab } from "../lab/lab";
import { openStack } from "../lab/stack";
import { type Scene, showAll } from "./chapters";
import { type Steps, startClient } from "./client";
import { startShow } from "./show";
import { declareTokens } from "./tokens";

/** Seconds. Short, so that the demo need not wait long for a door to close. */
const openForSeconds = 4;

async function main(): Promise<boolean> {
  const startedMs = Date.now();
  const show = startShow();
  show.chapter("A lab: 3 hosts, each with its own sshd, host key, /etc and /var/lib");
  const lab = await openLab({ hosts: 3 });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void lab.close().finally(() => process.exit(130)));
  }
  try {
    await showAll(await prepareScene(lab), show);
    const holds = show.conclude();
    show.say(`took ${Math.round((Date.now() - startedMs) / 1_000)} s`);
    return holds;
  } finally {
    await lab.close();
  }
}

async function prepareScene(lab: Lab): Promise<Scene> {
  const steps = new Map<string, Steps>(
    lab.hosts.slice(0, 2).map((host) => [host.name, [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }]]),
  );
  const people = new Set(["deployer", "ada", "ben"]);
  const gate = { name: "ssh", protect: [{ tcp: "22" }], openForSeconds };
  const declarePolicy = (host: LabHost): PolicyArgs => {
    const sequence = steps.get(host.name);
    return sequence === undefined
      ? declareTokens([...people], gate)
      : { name: "edge", gates: [{ ...gate, knock: { steps: sequence } }] };
  };
  const stack = await openStack(lab.directory, async () => {
    for (const host of lab.hosts) {
      new KnockGate(host.name, {
        connection: { host: host.ipv4, user: "ops", privateKey: lab.privateKey, hostKey: host.hostKey },
        policy: declarePolicy(host),
      });
    }
  });
  return { lab, stack, steps, people, openForSeconds, client: await startClient(lab) };
}

main().then(
  (holds) => process.exit(holds ? 0 : 1),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
