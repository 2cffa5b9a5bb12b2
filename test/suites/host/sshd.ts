import type { LabHost } from "../../../lab/host";

/** Restarts a host's sshd with more settings. sshd takes the first value of each setting (sshd_config(5)). */
export async function reconfigureSshd(host: LabHost, settings: readonly string[]): Promise<void> {
  const file = "/etc/ssh/sshd_config";
  await host.run(["sh", "-c", `{ cat; cat ${file}; } >${file}.new && mv ${file}.new ${file}`], {
    stdin: `${settings.join("\n")}\n`,
  });
  await reloadSshd(host);
}

/** Makes sshd read its configuration again, and waits until it listens again: on a busy machine that takes a while. */
export async function reloadSshd(host: LabHost): Promise<void> {
  // sshd writes its PidFile once all its sockets listen.
  const program = `pid=$(cat /run/sshd.pid) && rm /run/sshd.pid && kill -HUP "$pid" || exit 1
for try in $(seq 400); do
	[ ! -s /run/sshd.pid ] || exit 0
	sleep 0.05
done
echo 'sshd does not listen again' >&2
exit 1`;
  await host.run(["sh", "-c", program]);
}
