import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { commandEnvironment } from "./command";

const packages: Readonly<Record<string, string>> = {
  unshare: "util-linux",
  nsenter: "util-linux",
  mount: "mount",
  ip: "iproute2",
  nft: "nftables",
  sshd: "openssh-server",
  "ssh-keygen": "openssh-client",
  sudo: "sudo",
  dash: "dash",
  busybox: "busybox",
};

/** Throws unless all tools of the lab are there. The error names those that are missing and the remedy. */
export function requireTools(): void {
  const missing = Object.keys(packages).filter((tool) => !isInstalled(tool));
  if (missing.length > 0) {
    const wanted = [...new Set(missing.map((tool) => packages[tool]))].join(" ");
    throw new Error(
      `lab: missing on this machine: ${missing.join(", ")}; ` +
        `on Debian: apt-get install -y --no-install-recommends ${wanted}`,
    );
  }
}

function isInstalled(tool: string): boolean {
  return commandEnvironment.PATH.split(":").some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
