import { KnockGate } from "knockgate";
import { type Lab, openLab } from "../lab/lab";
import { openStack } from "../lab/stack";
import { type Scene, showAll } from "./chapters";
import { type Steps, startClient } from "./client";
import { startShow } from "./show";

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
    lab.hosts.map((host) => [host.name, [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }]]),
  );
  const stack = await openStack(lab.directory, async () => {
    for (const host of lab.hosts) {
      new KnockGate(host.name, {
        connection: { host: host.ipv4, user: "ops", privateKey: lab.privateKey, hostKey: host.hostKey },
        policy: {
          name: "edge",
          gates: [
            {
              name: "ssh",
              protect: [{ tcp: "22" }],
              knock: { steps: steps.get(host.name) ?? [] },
              openForSeconds,
            },
          ],
        },
      });
    }
  });
  return { lab, stack, steps, openForSeconds, client: await startClient(lab) };
}

main().then(
  (holds) => process.exit(holds ? 0 : 1),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
