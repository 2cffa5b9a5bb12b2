// A process for tests to kill: opens a lab, prints what it made as one line of JSON, and stays.
import { readlinkSync } from "node:fs";
import { openLab } from "./lab";

async function main(): Promise<void> {
  const lab = await openLab({ hosts: 1, clients: 1, bootedHosts: 1 });
  const machines = [...lab.hosts, ...lab.clients, ...lab.bootedHosts];
  const networks = machines.map(({ pid }) => readlinkSync(`/proc/${pid}/ns/net`));
  const left = "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo";
  await Promise.all(machines.map((machine) => machine.run(["sh", "-c", left])));
  console.log(JSON.stringify({ networks, directory: lab.directory, outside: lab.outside }));
  setInterval(() => undefined, 60_000);
}

void main();
