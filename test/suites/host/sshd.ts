import type { LabHost } from "../../../lab/host";
import { waitUntil } from "./deployment";

/** Restarts a host's sshd with more settings. sshd takes the first value of each setting (sshd_config(5)). */
export async function reconfigureSshd(host: LabHost, settings: readonly string[]): Promise<void> {
  const countStarts = () => host.sshdLog().split("Server listening").length;
  const before = countStarts();
  const file = "/etc/ssh/sshd_config";
  await host.run(["sh", "-c", `{ cat; cat ${file}; } >${file}.new && mv ${file}.new ${file}`], {
    stdin: `${settings.join("\n")}\n`,
  });
  await host.run(["sh", "-c", "kill -HUP $(cat /run/sshd.pid)"]);
  // sshd listens once for IPv4 and once for IPv6.
  await waitUntil("sshd is back", 10_000, async () => countStarts() === before + 2);
}
