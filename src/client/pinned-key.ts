import { readKey, readKeyType } from "../transport/key-blob.js";
import type { Login } from "./way.js";

/** One line of ssh_config(5). */
export interface SshOption {
  readonly keyword: string;
  readonly value: string;
}

/**
 * Lists what lets OpenSSH take a login's pinned key alone; nothing where none is pinned, so that known_hosts counts.
 * OpenSSH before 8.5 knows no KnownHostsCommand, and so no key: it lets nobody in.
 */
export function listKeyOptions({ hostKey }: Login): readonly SshOption[] {
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
