import { readKey, readKeyType } from "../../ssh/keys/key-blob.js";
import type { SshLogin } from "./ssh-endpoint.js";

/** One line of ssh_config(5). */
export interface SshOption {
  readonly keyword: string;
  readonly value: string;
}

/**
 * Lists the options with which OpenSSH accepts only a login's pinned key. Empty if no key is pinned: then known_hosts
 * counts. OpenSSH before 8.5 does not know KnownHostsCommand, so it finds no key and refuses to connect.
 */
export function listKeyOptions({ hostKey }: SshLogin): readonly SshOption[] {
  const blob = hostKey?.split(/\s+/).find((word) => word.startsWith("AAAA"));
  const key = readKey(blob ?? "");
  if (key === undefined) return [];
  return [
    { keyword: "IgnoreUnknown", value: "KnownHostsCommand" },
    { keyword: "KnownHostsCommand", value: `/bin/echo %H ${readKeyType(key)} ${key.toString("base64")}` },
    { keyword: "UserKnownHostsFile", value: "/dev/null" },
    { keyword: "GlobalKnownHostsFile", value: "/dev/null" },
    { keyword: "StrictHostKeyChecking", value: "yes" },
  ];
}
