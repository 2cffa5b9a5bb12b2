import { execFile, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { StepArgs } from "knockgate";
import type { LabHost } from "../lab/host";
import type { Lab } from "../lab/lab";
import { sendKnock } from "../lab/packets";

export type Steps = (StepArgs & ({ tcp: number } | { udp: number }))[];

/** A person with OpenSSH's client, on the far side of the gate. */
export interface Client {
  /** Tries to log in. Returns the host's name if it worked, otherwise ssh's message. */
  login(host: LabHost): Promise<string>;
  knock(host: LabHost, steps: Steps): Promise<void>;
  /** Sends a token, in hex, to a UDP port. */
  sendToken(host: LabHost, udp: number, payload: string): Promise<void>;
  /** Logs in and stays. Resolves with the host's answer after that time. */
  stay(host: LabHost, seconds: number): Promise<string>;
}

export async function startClient(lab: Lab): Promise<Client> {
  const key = join(lab.directory, "client-key");
  const knownHosts = join(lab.directory, "known_hosts");
  await writeFile(key, lab.privateKey, { mode: 0o600 });
  await writeFile(knownHosts, lab.hosts.map((host) => `${host.ipv4} ${host.hostKey}\n`).join(""));
  const options = [
    "-i",
    key,
    "-o",
    `UserKnownHostsFile=${knownHosts}`,
    "-o",
    "ConnectTimeout=2",
    "-o",
    "BatchMode=yes",
  ];
  return {
    login: (host) =>
      new Promise((resolve) => {
        execFile("ssh", [...options, `ops@${host.ipv4}`, "hostname"], (_error, stdout, stderr) => {
          resolve((stdout || stderr).trim());
        });
      }),
    knock: (host, steps) => sendKnock("outside", { to: host.ipv4, steps, pauseMs: 20 }),
    sendToken: (host, udp, payload) => sendKnock("outside", { to: host.ipv4, steps: [{ udp, payload }] }),
    async stay(host, seconds) {
      const session = spawn("ssh", [...options, `ops@${host.ipv4}`, "sh"]);
      let answer = "";
      session.stdout.on("data", (chunk: Buffer) => {
        answer += chunk.toString();
      });
      session.stdin.write("echo connected\n");
      while (answer === "") await pause(20);
      await pause(seconds * 1_000);
      const ended = new Promise((resolve) => session.once("close", resolve));
      session.stdin.end(`echo after ${seconds} seconds: still here\n`);
      await ended;
      return answer.trim().split("\n").at(-1) ?? "";
    },
  };
}
