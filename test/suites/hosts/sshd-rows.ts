import type { HostRow } from "./row";

const section = "sshd and sudo as distributions ship them";

/** What an sshd is told for a gate's whole life. */
export interface SshdCase {
  readonly id: string;
  readonly act: string;
  readonly settings: readonly string[];
  /** Settings of which sshd takes the last line of its file. They replace the lab's own. */
  readonly replaced?: readonly string[];
}

export const sshdCases: readonly SshdCase[] = [
  {
    id: "max-startups-1",
    act: "a gate's whole life where sshd has `MaxStartups 1`",
    settings: [],
    replaced: ["MaxStartups 1"],
  },
  {
    id: "max-sessions-1",
    act: "a gate's whole life where sshd has `MaxSessions 1`",
    settings: ["MaxSessions 1"],
  },
  {
    id: "no-forwarding",
    act: "a gate's whole life where sshd has `AllowTcpForwarding no`",
    settings: ["AllowTcpForwarding no"],
  },
  {
    id: "grace-5",
    act: "a gate's whole life where sshd has `LoginGraceTime 5`",
    settings: ["LoginGraceTime 5"],
  },
  {
    id: "banner",
    act: "a gate's whole life where sshd shows a `Banner` of 30 kB",
    settings: ["Banner /etc/ssh/banner"],
  },
];

/** The Debians on which each case is played. */
const sshdSuites = { systemd: "Debian 12", trixie: "Debian 13" } as const;

type SshdSuite = keyof typeof sshdSuites;

export function sshdRow(suite: SshdSuite, { id, act }: SshdCase): HostRow {
  return {
    id: `sshd-${id}-${suite === "systemd" ? "bookworm" : suite}`,
    section,
    on: sshdSuites[suite],
    act,
  };
}

export const penaltySuites = { trixie: "Debian 13", sid: "Debian sid" } as const;

export function penaltyRow(suite: keyof typeof penaltySuites): HostRow {
  return {
    id: `sshd-penalties-${suite}`,
    section,
    on: penaltySuites[suite],
    act: "a gate's whole life, with a proof that fails, where sshd shuts a source out for its first connection without a login (`PerSourcePenalties noauth:60s authfail:60s min:1s`)",
  };
}

export const bastionRow: HostRow = {
  id: "sshd-no-forwarding-bastion",
  section,
  on: "Debian 13",
  act: "a change through a bastion whose sshd has `AllowTcpForwarding no`",
};

export const shutOutRow: HostRow = {
  id: "sshd-penalties-met",
  section,
  on: "Debian 13",
  act: "a change from a machine that sshd has shut out (`PerSourcePenalties`)",
};

export const fullRow: HostRow = {
  id: "sshd-max-startups-full",
  section,
  on: "Debian 13",
  act: "a change while a stranger has the only place to log in (`MaxStartups 1`)",
};

export const bannerRow: HostRow = {
  id: "sshd-banner-too-long",
  section,
  on: "Debian 13",
  act: "a change where sshd shows a `Banner` of 60 kB",
};

export const linesRow: HostRow = {
  id: "sshd-lines-first",
  section,
  on: "Debian 13",
  act: "a change, and `knockgate proxy`, where 600 lines come before sshd's identification",
};

export const socketRows = (["systemd", "trixie"] as const).map(
  (suite): HostRow & { readonly suite: SshdSuite } => ({
    suite,
    id: `sshd-socket-${suite === "systemd" ? "bookworm" : suite}`,
    section,
    on: `${sshdSuites[suite]}, booted`,
    act: "`ssh.socket` instead of `ssh.service`: a change, an undo in time although sshd is restarted, a reboot while armed, a reboot, removal",
  }),
);

export const sshdRows: readonly HostRow[] = [
  ...sshdCases.flatMap((one) => (Object.keys(sshdSuites) as SshdSuite[]).map((suite) => sshdRow(suite, one))),
  penaltyRow("trixie"),
  penaltyRow("sid"),
  bastionRow,
  shutOutRow,
  fullRow,
  bannerRow,
  linesRow,
  ...socketRows,
];
