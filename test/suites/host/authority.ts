import { readFile } from "node:fs/promises";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { makeKeyFile } from "./agents";
import { reconfigureSshd } from "./sshd";

/** A certificate authority for hosts and for users, as ssh-keygen(1), "CERTIFICATES", describes it. */
export interface Authority {
  /** The line of known_hosts that trusts it for all hosts. */
  readonly knownHostsLine: string;
  /** Gives a host a certificate for its names, and makes it trust the users' certificates alone. */
  adopt(host: LabHost, names?: readonly string[], validity?: string): Promise<void>;
  /** Makes a user's key with a certificate beside it. Returns the key's file. */
  certify(principals: readonly string[], validity?: string): Promise<string>;
}

export async function makeAuthority(directory: string): Promise<Authority> {
  const file = await makeKeyFile(directory);
  const publicKey = (await readFile(`${file}.pub`, "utf8")).trim();
  return {
    knownHostsLine: `@cert-authority * ${publicKey}`,
    adopt: async (host, names = [host.ipv4, host.ipv6], validity = "-5m:+1h") => {
      const key = "/etc/ssh/ssh_host_ed25519_key";
      const put = (path: string, stdin: string) =>
        host.run(["sh", "-c", `umask 077; cat >${path}`], { stdin });
      await put("/root/authority", await readFile(file, "utf8"));
      await put("/etc/ssh/authority.pub", `${publicKey}\n`);
      const sign = ["ssh-keygen", "-q", "-s", "/root/authority", "-I", "host", "-h", "-V", validity];
      await host.run([...sign, "-n", names.join(","), `${key}.pub`]);
      await host.run(["rm", "/root/authority"]);
      await reconfigureSshd(host, [
        `HostCertificate ${key}-cert.pub`,
        "TrustedUserCAKeys /etc/ssh/authority.pub",
        "AuthorizedKeysFile none",
      ]);
    },
    certify: async (principals, validity = "-5m:+1h") => {
      const user = await makeKeyFile(directory);
      const names = principals.join(",");
      await runCommand([
        "ssh-keygen",
        "-q",
        "-s",
        file,
        "-I",
        "user",
        "-V",
        validity,
        "-n",
        names,
        `${user}.pub`,
      ]);
      return user;
    },
  };
}
