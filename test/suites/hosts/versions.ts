import type { LabHost } from "../../../lab/host";

/** Asks a host for the versions of its tools, as a row of docs/hosts.md names them. */
export async function askVersions(host: LabHost, commands: readonly string[]): Promise<string> {
  const answers = await Promise.all([...commands, "uname -r"].map((command) => ask(host, command)));
  return answers.join(", ");
}

async function ask(host: LabHost, command: string): Promise<string> {
  const { stdout, stderr } = await host.run(["sh", "-c", command], { check: false });
  const said = `${stdout}${stderr}`;
  // An older sshd has no -V, and says its version among its usage.
  const [, version] = /(?<![\d.])v?(\d+\.\d+[\w.-]*)/.exec(said.slice(said.indexOf("OpenSSH_") + 1)) ?? [];
  if (version === undefined) throw new Error(`${host.name}: ${command}: no version in ${said}`);
  return `${name(command)} ${version}`;
}

/** Programs that are called otherwise than what they are a part of. */
const names: ReadonlyMap<string, string> = new Map([
  ["uname", "kernel"],
  ["sshd", "OpenSSH"],
  ["systemctl", "systemd"],
  ["init", "sysvinit"],
  ["dpkg-query", "runit"],
]);

function name(command: string): string {
  const [word = ""] = command.split(" ");
  return names.get(word) ?? word;
}
