import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import type { Sender } from "../../../lab/packets";
import { sendKnock } from "../../../lab/packets";
import { readCounts } from "../../../src/backends/backends";
import type { Carrier } from "../../../src/policy/carrier";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";
import {
  doorPort,
  families,
  type GatedLab,
  loadPolicy,
  lookAt,
  openGatedLab,
  openPort,
  waitForOpen,
} from "./gated-lab";
import { fillSets, listTokens, makeToken, sendToken, type TokenChoice, tokenPort } from "./token-lab";

const udp: Carrier = { kind: "udp", port: tokenPort };
const echo: Carrier = { kind: "icmpEcho" };
const carriers = [udp, echo] as const;

let gated: GatedLab;
beforeAll(async () => {
  gated = await openGatedLab(4);
});
afterAll(() => gated?.close());

const users = [
  { name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" },
  { name: "ci", key: "Zx8Lw3Qe1Rt6Yu9Io2Pa5Sd7Fg0Hj4Kl_Zc-VbNmAqW", gates: ["ssh"] },
];

function declare(carrier: Carrier, more: Partial<PolicyInput> = {}): PolicyInput {
  const token = carrier.kind === "udp" ? { udp: carrier.port } : { icmpEcho: true as const };
  return {
    name: "edge",
    users,
    gates: [
      { name: "ssh", protect: [{ tcp: `${doorPort}` }], knock: { token } },
      { name: "other", protect: [{ tcp: "4999" }], knock: { token } },
    ],
    ...more,
  };
}

/** A host whose sets hold the tokens of three slots. */
async function withGate(
  input: PolicyInput,
  use: (host: LabHost, policy: Policy) => Promise<void>,
): Promise<void> {
  await gated.withHost(async (host) => {
    await loadPolicy(host, input);
    const policy = readPolicy(input);
    await fillSets(host, policy, 3);
    await use(host, policy);
  });
}

const cases = carriers.flatMap((carrier) =>
  families.map((family) => [carrier.kind, family, carrier] as const),
);

describe.each(cases)("a token by %s over %s", (_, family, carrier) => {
  test.concurrent("opens for its sender, once, and leaves the other tokens", () =>
    withGate(declare(carrier), async (host, policy) => {
      const to = host[family];
      const send = (from: Sender, choice?: TokenChoice) =>
        sendToken(from, to, carrier, makeToken(policy, choice));
      expect(await lookAt(gated.knocker, to, doorPort)).toBe("closed");
      await send(gated.knocker);
      expect(await waitForOpen(gated.knocker, to, doorPort)).toBe("open");
      await send(gated.other);
      expect(await lookAt(gated.other, to, doorPort)).toBe("closed");
      await send(gated.other, { slot: 29_940_001 });
      expect(await waitForOpen(gated.other, to, doorPort)).toBe("open");
      const left = await listTokens(host, policy);
      expect(left).not.toContain(trim(makeToken(policy)));
      expect(left).toContain(trim(makeToken(policy, { slot: 29_940_002 })));
      expect(left).toContain(trim(makeToken(policy, { user: "ci" })));
    }));

  const wrong: readonly (readonly [string, TokenChoice, number])[] = [
    ["for another gate", { gate: "other" }, 0],
    ["for another host", { host: "other.example.org" }, 0],
    ["of a slot that the host does not hold", { slot: 29_940_003 }, 0],
    ["with two bytes more", {}, 2],
    ["that lacks a byte", {}, -1],
  ];
  test.concurrent.each(wrong)("%s does not open", (_what, choice, more) =>
    withGate(declare(carrier), async (host, policy) => {
      await sendToken(gated.knocker, host[family], carrier, makeToken(policy, choice), more);
      expect(await lookAt(gated.knocker, host[family], doorPort)).toBe("closed");
    }),
  );

  test.concurrent("of wrong bytes changes nothing in the kernel but its counters", () =>
    withGate(declare(carrier), async (host, policy) => {
      const before = await host.run(["nft", "-s", "list", "table", "inet", "knockgate_edge"]);
      for (const choice of [{ slot: 1 }, { slot: 2 }, { host: "x" }])
        await sendToken(gated.knocker, host[family], carrier, makeToken(policy, choice));
      const after = await host.run(["nft", "-s", "list", "table", "inet", "knockgate_edge"]);
      expect(withoutTimes(after.stdout)).toBe(withoutTimes(before.stdout));
    }));

  test.concurrent("with one byte more closes the door of its sender only, and is spent", () =>
    withGate(declare(carrier), async (host, policy) => {
      const to = host[family];
      await sendToken(gated.knocker, to, carrier, makeToken(policy));
      await sendToken(gated.other, to, carrier, makeToken(policy, { user: "ci" }));
      expect(await waitForOpen(gated.knocker, to, doorPort)).toBe("open");
      const closing = makeToken(policy, { slot: 29_940_001 });
      await sendToken(gated.knocker, to, carrier, closing, 1);
      expect(await lookAt(gated.knocker, to, doorPort)).toBe("closed");
      expect(await waitForOpen(gated.other, to, doorPort)).toBe("open");
      await sendToken(gated.knocker, to, carrier, closing);
      expect(await lookAt(gated.knocker, to, doorPort)).toBe("closed");
    }));

  test.concurrent("is counted for its user and its gate", () =>
    withGate(declare(carrier), async (host, policy) => {
      await sendToken(gated.knocker, host[family], carrier, makeToken(policy));
      await sendToken(gated.other, host[family], carrier, makeToken(policy, { user: "ci" }));
      await sendToken(
        gated.other,
        host[family],
        carrier,
        makeToken(policy, { user: "ci", slot: 29_940_001 }),
      );
      await sendToken(gated.other, host[family], carrier, makeToken(policy, { slot: 5 }));
      const { stdout } = await host.run(["nft", "-j", "list", "counters", "table", "inet", "knockgate_edge"]);
      expect(readCounts(stdout, policy)?.get("ssh")?.opened).toBe(3);
      expect(countOf(stdout, "ssh_user_ada")).toBe(1);
      expect(countOf(stdout, "ssh_user_ci")).toBe(2);
      expect(countOf(stdout, "other_user_ada")).toBe(0);
    }));
});

test.concurrent("a user's tokens count only from the user's sources", () => {
  const limited = (from: string[]) => users.map((user) => (user.name === "ada" ? { ...user, from } : user));
  return withGate(declare(udp, { users: limited([`${gated.knocker.ipv4}`]) }), async (host, policy) => {
    await sendToken(gated.other, host.ipv4, udp, makeToken(policy));
    expect(await lookAt(gated.other, host.ipv4, doorPort)).toBe("closed");
    await sendToken(gated.knocker, host.ipv6, udp, makeToken(policy));
    expect(await lookAt(gated.knocker, host.ipv6, doorPort)).toBe("closed");
    // Nobody has spent it.
    await sendToken(gated.knocker, host.ipv4, udp, makeToken(policy));
    expect(await waitForOpen(gated.knocker, host.ipv4, doorPort)).toBe("open");
  });
});

test.concurrent("a denied source can't open, and an allowed source spends no token", () => {
  const [denyFrom, allowFrom] = [[gated.other.ipv4], [gated.knocker.ipv4]];
  return withGate(declare(udp, { denyFrom, allowFrom }), async (host, policy) => {
    await sendToken(gated.other, host.ipv4, udp, makeToken(policy));
    await sendToken(gated.knocker, host.ipv4, udp, makeToken(policy));
    expect(await lookAt(gated.other, host.ipv4, doorPort)).toBe("closed");
    expect(await listTokens(host, policy)).toContain(trim(makeToken(policy)));
  });
});

test.concurrent("a token that comes in the middle of a sequence does not disturb it, and is no step", () => {
  const { gates = [] } = declare(udp);
  const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }];
  const more = { name: "web", protect: [{ tcp: "4998" }], knock: { steps } };
  return withGate(declare(udp, { gates: [...gates, more] }), async (host, policy) => {
    const to = host.ipv4;
    await sendKnock(gated.knocker, { to, steps: [{ tcp: 7411 }] });
    await sendToken(gated.knocker, to, udp, makeToken(policy));
    await sendKnock(gated.knocker, { to, steps: steps.slice(1) });
    const { stdout } = await host.run(["nft", "-j", "list", "counters", "table", "inet", "knockgate_edge"]);
    expect([
      countOf(stdout, "web_opened"),
      countOf(stdout, "ssh_opened"),
      countOf(stdout, "web_reset"),
    ]).toEqual([1, 1, 0]);
  });
});

test.concurrent("a full set of open doors does not spend the token", () =>
  withGate(declare(udp, { limits: { sources: 16 } }), async (host, policy) => {
    const elements = Array.from({ length: 16 }, (_, index) => `198.51.100.${index}`).join(", ");
    const set = "inet knockgate_edge ssh_open_v4";
    await host.run(["nft", "-f", "-"], { stdin: `add element ${set} { ${elements} }\n` });
    await sendToken(gated.knocker, host.ipv4, udp, makeToken(policy));
    expect(await lookAt(gated.knocker, host.ipv4, doorPort)).toBe("closed");
    await host.run(["nft", "-f", "-"], { stdin: `flush set ${set}\n` });
    await sendToken(gated.knocker, host.ipv4, udp, makeToken(policy));
    expect(await waitForOpen(gated.knocker, host.ipv4, doorPort)).toBe("open");
    const { stdout } = await host.run(["nft", "-j", "list", "counters", "table", "inet", "knockgate_edge"]);
    expect(countOf(stdout, "ssh_user_ada")).toBe(1);
  }));

test.concurrent("with singleConnection, a door lets in one connection for each token", () => {
  const { gates = [] } = declare(udp);
  const single = gates.map((gate) => ({ ...gate, singleConnection: true }));
  return withGate(declare(udp, { gates: single }), async (host, policy) => {
    await sendToken(gated.knocker, host.ipv4, udp, makeToken(policy));
    expect(await waitForOpen(gated.knocker, host.ipv4, doorPort)).toBe("open");
    expect(await lookAt(gated.knocker, host.ipv4, doorPort)).toBe("closed");
    await sendToken(gated.knocker, host.ipv4, udp, makeToken(policy, { user: "ci" }));
    expect(await waitForOpen(gated.knocker, host.ipv4, doorPort)).toBe("open");
  });
});

test.concurrent.each([
  ["stealth", { stealth: true }],
  ["prerouting", { scope: "prerouting" }],
] as const)("a token opens under %s, and only once", (_, more) =>
  withGate(declare(udp, more), async (host, policy) => {
    expect(await lookAt(gated.knocker, host.ipv4, doorPort)).toBe("closed");
    await sendToken(gated.knocker, host.ipv4, udp, makeToken(policy));
    expect(await waitForOpen(gated.knocker, host.ipv4, doorPort)).toBe("open");
    expect(await waitForOpen(gated.knocker, host.ipv4, openPort)).toBe("open");
    await sendToken(gated.other, host.ipv4, udp, makeToken(policy));
    expect(await lookAt(gated.other, host.ipv4, doorPort)).toBe("closed");
  }),
);

/** As nft lists a token: without leading zeros. */
function trim(token: string): string {
  return token.replace(/^0+/, "");
}

function withoutTimes(listing: string): string {
  return listing.replace(/ expires \w+/g, "");
}

function countOf(json: string, name: string): number | undefined {
  const listed: { counter?: { name: string; packets: number } }[] = JSON.parse(json).nftables;
  return listed.find(({ counter }) => counter?.name === name)?.counter?.packets;
}
