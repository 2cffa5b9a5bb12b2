import { inTurn, kill } from "./acts";
import {
  allowOps,
  changeHostKey,
  fillDisk,
  giveSmallDisk,
  giveSmallDiskAndOlderScript,
  jumpClock,
  makeReadOnly,
  prepareClock,
} from "./host-acts";
import { type Row, unnamedStep } from "./row";

const on = "namespace";
const from = "update";

const disks: readonly Row[] = [
  {
    id: "disk-full-while-staging",
    done: "the disk is full before staging",
    on,
    from,
    before: giveSmallDisk,
    within: { after: "connect", act: fillDisk },
    ends: "old",
    up: { at: "stage", code: "STAGE_FAILED", state: "untouched", why: /is the disk full\?/ },
  },
  {
    id: "disk-full-while-arming",
    done: "the disk is full before arm",
    on,
    from,
    before: giveSmallDisk,
    within: { after: "stage", act: fillDisk },
    ends: "old",
    up: { at: "arm", code: "HOST_FAILED", state: "untouched", why: /is the disk full\?/ },
    isDeep: true,
  },
  {
    id: "disk-full-while-loading",
    done: "the disk is full before load",
    on,
    from,
    before: giveSmallDisk,
    within: { after: "arm", act: fillDisk },
    ends: "old",
    up: {
      at: "confirm",
      code: "NOT_CONFIRMED",
      state: "undone",
      why: /could not be read back: is the disk full\?/,
    },
    isDeep: true,
  },
  {
    id: "disk-full-while-confirming",
    done: "the disk is full before confirm, on a host whose script is to be replaced",
    on,
    from,
    before: giveSmallDiskAndOlderScript,
    within: { after: "prove", act: fillDisk },
    ends: "old",
    up: { at: "confirm", code: "NOT_CONFIRMED", state: "undone" },
    isDeep: true,
  },
  {
    id: "read-only-var",
    done: "/var/lib/knockgate is read-only",
    on,
    from,
    before: makeReadOnly("/var/lib/knockgate"),
    ends: "old",
    up: {
      at: "connect",
      code: "HOST_UNFIT",
      state: "untouched",
      why: /\/var\/lib\/knockgate\/edge can't be written/,
    },
    isDeep: true,
    mended: ["a folder that can't be written was noticed only by stage"],
  },
  {
    id: "read-only-etc-without-systemd",
    done: "/etc is read-only on a host without systemd, where nothing is written there",
    on,
    from,
    before: makeReadOnly("/etc"),
    ends: "new",
    isDeep: true,
  },
  {
    id: "read-only-etc-with-systemd",
    done: "/etc is read-only on a host with systemd, whose unit would stand there",
    on: "booted",
    from,
    before: makeReadOnly("/etc"),
    ends: "old",
    up: {
      at: "connect",
      code: "HOST_UNFIT",
      state: "untouched",
      why: /\/etc\/systemd\/system can't be written/,
    },
    mended: ["the change was made, and undone when confirm could not write the unit"],
  },
];

const logins: readonly Row[] = [
  {
    id: "sudo-asks-for-a-password",
    done: "sudo asks for a password, and none is given",
    on,
    from,
    before: allowOps("ops ALL=(ALL:ALL) ALL"),
    ends: "old",
    up: { at: "connect", code: "NOT_ALLOWED", state: "untouched" },
    isDeep: true,
    mended: [unnamedStep],
  },
  {
    id: "sudo-not-allowed",
    done: "first change: the user may not use sudo",
    on,
    from: "first",
    before: allowOps(""),
    ends: "old",
    up: { at: "connect", code: "NOT_ALLOWED", state: "untouched" },
    mended: [unnamedStep],
    isDeep: true,
  },
  {
    id: "sudo-lost-after-load",
    done: "the user may not use sudo any more after load",
    on,
    from,
    within: { after: "load", act: allowOps("") },
    ends: "old",
    up: { at: "confirm", code: "NOT_CONFIRMED", state: "undone" },
    mended: [unnamedStep, "a host that refused sudo was said not to be reachable"],
  },
  {
    id: "wrong-host-key",
    done: "another host key answers than the pinned one",
    on,
    from,
    before: changeHostKey,
    ends: "old",
    up: { at: "connect", code: "HOST_KEY_MISMATCH", state: "untouched", why: /Nothing was sent\./ },
    mended: [unnamedStep],
    isDeep: true,
  },
  {
    id: "wrong-host-key-after-load",
    done: "another host key answers after load",
    on,
    from,
    within: { after: "load", act: changeHostKey },
    ends: "old",
    up: { at: "prove", code: "NOT_CONFIRMED", state: "undone" },
    isDeep: true,
    mended: [unnamedStep],
  },
];

const clocks = (["namespace", "booted"] as const).flatMap((place) =>
  (["+1y", "-1y"] as const).flatMap((jump): readonly Row[] => {
    const words = `the host's clock jumps by a year ${jump === "+1y" ? "forward" : "back"} while armed`;
    const where = place === "booted" ? " (with systemd)" : "";
    const id = `clock${jump === "+1y" ? "-forward" : "-back"}${place === "booted" ? "-systemd" : ""}`;
    const row = { on: place, from, user: "root", before: prepareClock } as const;
    return [
      {
        ...row,
        id: `${id}-killed`,
        done: `${words}, and then the deployer is killed${where}`,
        within: { after: "load", act: inTurn(jumpClock(jump), kill) },
        ends: "old",
        up: "killed",
        isDeep: place === "booted" || jump === "-1y",
      },
      {
        ...row,
        id: `${id}-goes-on`,
        done: `${words}, and the deployer goes on${where}`,
        within: { after: "arm", act: jumpClock(jump) },
        ends: "new",
        isDeep: true,
      },
    ];
  }),
);

/** Faults of a host, or of the way into it. */
export const hostFaults: readonly Row[] = [...disks, ...logins, ...clocks];
