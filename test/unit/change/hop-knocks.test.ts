import { describe, expect, test } from "vitest";
import type { OtherGate } from "../../../src/change/behind";
import { type HopProfile, listHopGates, openHopsBy } from "../../../src/change/hop-knocks";
import { makePurse } from "../../../src/change/purse";
import { slotAt, tokenOf } from "../../../src/policy/token";
import type { ResolvedLogin } from "../../../src/ssh/resolve";

const nowMs = 1.8e12;
const settings = { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 };
const key = "a".repeat(43);

function sequenceGate(port: number, tcp = "22"): OtherGate {
  const knock = { kind: "sequence", steps: [{ kind: "tcp", port }] } as const;
  return { gate: `gate-${port}`, protect: [{ tcp }], knock };
}

function tokenGate(host: string): OtherGate {
  const carrier = { kind: "udp", port: 62_201 } as const;
  const knock = {
    kind: "tokens",
    carrier,
    user: "ada",
    key,
    policy: "edge",
    gate: "ssh",
    host,
    settings,
  } as const;
  return { gate: "ssh", protect: [{ tcp: "22" }], knock };
}

const patience = { ignoreHostKey: false, dialErrorLimit: 0, perDialTimeout: 5 };
const loginTo = (host: string, more: Partial<ResolvedLogin> = {}): ResolvedLogin => {
  return { host, port: 22, user: "root", ...patience, ...more };
};
/** A login by ssh(1) to an alias of ssh_config. */
const aliasOf = (host: string, hostName: string): ResolvedLogin => {
  const common = { family: "any", jumps: [], hasProxyCommand: false, asksForKeys: false } as const;
  return loginTo(host, { settings: { hostName, port: 22, user: "root", ...common } });
};

const bastion: HopProfile = { name: "bastion", host: "192.0.2.1", gates: [sequenceGate(7_001)] };
const inner: HopProfile = { name: "inner", host: "inner.test", gates: [sequenceGate(7_002)] };

/** The ports of the steps that open a machine, or `undefined` for one that no profile fits. */
function portsFor(profiles: readonly HopProfile[], login: ResolvedLogin) {
  const openHop = openHopsBy(
    (one) => listHopGates(profiles, one),
    makePurse(() => nowMs),
  );
  return openHop(login)
    ?.next()
    .map((step) => "port" in step && step.port);
}

describe("a profile fits a machine on the way", () => {
  test.each<[string, ResolvedLogin, readonly number[]]>([
    ["by its address", loginTo("192.0.2.1"), [7_001]],
    ["by the profile's name", loginTo("bastion"), [7_001]],
    ["by the address that ssh_config resolves an alias to", aliasOf("way-in", "192.0.2.1"), [7_001]],
    ["by the profile's name, which ssh_config resolves an alias to", aliasOf("deep", "inner"), [7_002]],
    ["by an alias that is the profile's name", aliasOf("inner", "198.51.100.9"), [7_002]],
  ])("%s", (_by, login, ports) => {
    expect(portsFor([bastion, inner], login)).toEqual(ports);
  });

  test.each<[string, ResolvedLogin]>([
    ["has another name", loginTo("192.0.2.10")],
    ["has only a part of the name", loginTo("inner.test.example")],
    ["has its SSH on a port that no gate protects", loginTo("192.0.2.1", { port: 2_222 })],
  ])("unless it %s", (_what, login) => {
    expect(portsFor([bastion, inner], login)).toBeUndefined();
  });

  test("also if it is one of several: all of their gates before SSH are opened, and no others", () => {
    const more = {
      name: "other",
      host: "192.0.2.1",
      gates: [sequenceGate(7_003), sequenceGate(7_004, "443")],
    };
    expect(portsFor([bastion, inner, more], loginTo("192.0.2.1"))).toEqual([7_001, 7_003]);
  });

  test("on any port of a range", () => {
    const ranged = { ...bastion, gates: [sequenceGate(7_001, "2200-2299")] };
    expect(portsFor([ranged], loginTo("192.0.2.1", { port: 2_222 }))).toEqual([7_001]);
  });
});

test("no profile opens no machine", () => {
  expect(portsFor([], loginTo("192.0.2.1"))).toBeUndefined();
});

describe("a machine that tokens open", () => {
  const tokenAt = (host: string, slot: number) => tokenOf(key, { policy: "edge", gate: "ssh", host, slot });
  const first = slotAt(nowMs, settings.slotSeconds);
  const profiles = ["a.test", "b.test"].map((host) => ({ name: host, host, gates: [tokenGate(host)] }));
  const open = () =>
    openHopsBy(
      (login) => listHopGates(profiles, login),
      makePurse(
        () => nowMs,
        () => 0.999,
      ),
    );
  const send = (openHop: ReturnType<typeof open>, host: string) =>
    openHop(loginTo(host))
      ?.next()
      .map((step) => "token" in step && step.token);

  test("gets a token of its own for each connection, slot by slot as long as they open", () => {
    const openHop = open();
    for (const after of [0, 1, 2, 3, 4]) {
      expect(send(openHop, "a.test")).toEqual([tokenAt("a.test", first + after)]);
      openHop(loginTo("a.test"))?.succeed();
    }
    expect(send(openHop, "b.test")).toEqual([tokenAt("b.test", first)]);
  });

  test("gets tokens from further ahead when one does not open", () => {
    const openHop = open();
    const sent = [0, 1, 2].flatMap(() => send(openHop, "a.test"));
    expect(sent).toEqual([0, 61, 7 * 24 * 60 + 1].map((after) => tokenAt("a.test", first + after)));
  });

  test("is one machine for whoever logs in with another name, and no token is sent twice", () => {
    const openHop = open();
    const ops = openHop(loginTo("a.test", { user: "ops" }))?.next();
    const root = openHop(loginTo("a.test"))?.next();
    expect(ops).not.toEqual(root);
  });
});
