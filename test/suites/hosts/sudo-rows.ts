import type { HostRow } from "./row";

const section = "sshd and sudo as distributions ship them";

/** A way to become root, or a place with unusual mounts, for the whole life of a gate. */
export interface RootCase {
  readonly row: HostRow;
  /** The user's part of sudoers. */
  readonly sudoers: string;
  /** Commands that prepare the host. */
  readonly prepare?: string;
  /** Why a change is refused at step 1. Default: it is not. */
  readonly refusal?: RegExp;
  readonly result: string;
}

const withPassword = "keeper ALL=(ALL:ALL) ALL";

const bookworm = (id: string, act: string): HostRow => ({ id, section, on: "Debian 12", act });

const logging = (on: string, id: string): RootCase => ({
  row: {
    id,
    section,
    on,
    act: "a change by a user whose input and output sudo logs (`use_pty, log_input, log_output`)",
  },
  sudoers: `Defaults use_pty, log_input, log_output\n${withPassword}`,
  refusal: /sudo keeps the input and output of this user's commands \(log_input, log_output\)/,
  result:
    "Refused at step 1 (HOST_UNFIT) with the line that excepts the user. Neither the password nor a knock is in a log",
});

const debianCases: readonly RootCase[] = [
  {
    row: bookworm("sudo-pty", "a gate's whole life by a user whom sudo gives a terminal (`use_pty`)"),
    sudoers: `Defaults use_pty\n${withPassword}`,
    result: "All of it works, and the password is in no log",
  },
  logging("Debian 12", "sudo-logs"),
  {
    row: bookworm(
      "sudo-logs-off",
      "a gate's whole life where sudoers excepts the user (`Defaults:keeper !log_input, !log_output`)",
    ),
    sudoers: `Defaults use_pty, log_input, log_output\nDefaults:keeper !log_input, !log_output\n${withPassword}`,
    result: "All of it works without a warning, and nothing is in sudo's I/O log",
  },
  {
    row: bookworm(
      "hidepid",
      "a gate's whole life by a user who is not root, where /proc is mounted with `hidepid=2`",
    ),
    sudoers: withPassword,
    prepare: "mount -o remount,hidepid=2 /proc && grep -q 'proc /proc proc.*hidepid' /proc/mounts",
    result: "All of it works",
  },
  {
    row: bookworm("var-noexec", "a gate's whole life where /var/lib is mounted `noexec,nosuid,nodev`"),
    sudoers: withPassword,
    prepare: "mount -o remount,noexec,nosuid,nodev /var/lib && grep -q ' /var/lib .*noexec' /proc/mounts",
    result: "All of it works: nothing below /var is executed by its own name",
  },
];

/** The hosts of one root file system. */
export const rootSuites = [
  { suite: "systemd", cases: debianCases },
  { suite: "trixie", cases: [logging("Debian 13", "sudo-logs-trixie")] },
  {
    suite: "sudo-rs",
    cases: [
      {
        row: {
          id: "sudo-rs",
          section,
          on: "Debian 13",
          act: "a gate's whole life by a user who becomes root by sudo-rs with a password",
        },
        sudoers: withPassword,
        prepare: "ln -sf sudo-rs /usr/bin/sudo && sudo --version 2>&1 | grep -q sudo-rs",
        result: "All of it works, and the password is in no log",
      },
    ] satisfies readonly RootCase[] as readonly RootCase[],
  },
] as const;

export const sudoRows: readonly HostRow[] = rootSuites.flatMap(({ cases }) => cases.map(({ row }) => row));
