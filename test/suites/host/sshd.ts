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
  // A socket has another inode afterwards. sshd listens once for IPv4 and once for IPv6.
  const program = `list() { ss -Hltne 'sport = :22' | grep -o 'ino:[0-9]*'; }
old=$(list)
kill -HUP "$(cat /run/sshd.pid)" || exit 1
for try in $(seq 200); do
	new=$(list)
	if [ "$(printf '%s\n' "$new" | wc -l)" = "$(printf '%s\n' "$old" | wc -l)" ]; then
		kept=$(printf '%s\n' "$new" | grep -cxF -e "$old")
		[ -z "$new" ] || [ "$kept" -gt 0 ] || exit 0
	fi
	sleep 0.05
done
echo 'sshd does not listen again' >&2
exit 1`;
  await host.run(["sh", "-c", program]);
}
