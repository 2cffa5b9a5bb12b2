import type { LabHost } from "../../../lab/host";

export interface UserOptions {
  /** Default: no password. */
  readonly password?: string;
  /** A line of sudoers. Default: none. */
  readonly sudoers?: string;
  /** The login shell. Default: /bin/sh. */
  readonly shell?: string;
}

let lastId = 60_200;

/** Adds a user to a host. The lab's key lets this user in as well. */
export async function addUser(host: LabHost, name: string, options: UserOptions = {}): Promise<void> {
  const { password, sudoers, shell = "/bin/sh" } = options;
  const id = ++lastId;
  const hash = password === undefined ? "*" : await hashPassword(host, password);
  const append = async (file: string, line: string) => {
    await host.run(["sh", "-c", `cat >>${file}`], { stdin: `${line}\n` });
  };
  await append("/etc/passwd", `${name}:x:${id}:${id}::/home/${name}:${shell}`);
  await append("/etc/shadow", `${name}:${hash}:19000:0:99999:7:::`);
  await append("/etc/group", `${name}:x:${id}:`);
  if (sudoers !== undefined) await append("/etc/sudoers", sudoers);
  await host.run(["install", "-d", "-m", "0700", "-o", `${id}`, "-g", `${id}`, `/home/${name}`]);
}

async function hashPassword(host: LabHost, password: string): Promise<string> {
  const program = "my $p = <STDIN>; chomp $p; print crypt($p, q($6$knockgate$))";
  return (await host.run(["perl", "-e", program], { stdin: `${password}\n` })).stdout;
}
