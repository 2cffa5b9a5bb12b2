import { describe, expect, test } from "vitest";
import { explainReaction } from "../../../src/model/explain";
import { receivePacket } from "../../../src/model/machine";
import type { PacketKind, SentToken } from "../../../src/model/packet";
import { initialState, type State } from "../../../src/model/state";
import { fillTokens } from "../../../src/model/token";
import type { PolicyInput } from "../../../src/policy/policy";
import { slotAt } from "../../../src/policy/token";
import { readPolicy } from "../policy/read-policy";

const [adaKey, benKey, evesKey] = ["ada", "ben", "eve"].map((name) => `${name}-kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3u`);
const host = "edge.example.org";
const me = "192.0.2.7";
const noonMs = Date.UTC(2030, 0, 1, 12);
const now = slotAt(noonMs, 60);
const horizon = 7 * 1_440;

const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } };
const wiki = { name: "wiki", protect: [{ tcp: "80" }], knock: { token: { icmpEcho: true } } };
const web = { name: "web", protect: [{ tcp: "443" }], knock: { steps: [{ tcp: 7 }, { tcp: 9 }] } };
const input = {
  name: "edge",
  users: [
    { name: "ada", key: adaKey ?? "" },
    { name: "ben", key: benKey ?? "", gates: ["ssh"], from: ["192.0.2.0/24", "2001:db8::/32"] },
  ],
  gates: [ssh, wiki, web],
};

const own: SentToken = { policy: "edge", gate: "ssh", host, slot: now, key: adaKey ?? "" };
const datagram = (more: Partial<SentToken> = {}, payloadBytes = 16, port = 62_201): PacketKind => {
  return { kind: "udp", port, sourcePort: 50_000, payloadBytes, token: { ...own, ...more } };
};
const ping = (more: Partial<SentToken> = {}, payloadBytes = 32): PacketKind => {
  return { kind: "echo", payloadBytes, token: { ...own, gate: "wiki", ...more } };
};
const syn = (port: number, sourcePort = 50_001): PacketKind => ({ kind: "tcp", port, sourcePort });

type Sent = PacketKind | readonly [afterSeconds: number, kind: PacketKind, source?: string];

/** Sends packets to a host that was filled at noon. Returns what each did, in words. */
function send(packets: readonly Sent[], more: Partial<PolicyInput> = {}): readonly string[] {
  const policy = readPolicy({ ...input, ...more });
  let state: State = { ...initialState, tokens: fillTokens(policy, host, noonMs) };
  return packets.map((sent) => {
    const [afterSeconds, kind, source = me] = "kind" in sent ? [0, sent] : sent;
    const outcome = receivePacket(policy, state, { atMs: noonMs + afterSeconds * 1_000, source, kind });
    state = outcome.state;
    return outcome.reactions.map((reaction) => explainReaction(policy, reaction)).join("; ");
  });
}

const opened = "ssh: a token of ada: the door is open";
const foreign = "ssh: of the size of a token, but none of this gate's users made it for this gate and host";
const spent = "ssh: a token that was used, or that the host had lost before: it does not count again";

describe("a packet with a token", () => {
  test.each<readonly [string, Sent, string]>([
    ["of this slot", datagram(), opened],
    ["of the last slot that the host holds", datagram({ slot: now + horizon }), opened],
    ["of a slot whose grace is not over", datagram({ slot: now - 2 }), opened],
    [
      "of a slot whose grace is over",
      [1, datagram({ slot: now - 3 })],
      "ssh: a token whose slot and grace are over",
    ],
    ["at the last moment of its grace", [179.999, datagram()], opened],
    ["at the end of its grace", [180, datagram()], "ssh: a token whose slot and grace are over"],
    [
      "beyond the horizon",
      datagram({ slot: now + horizon + 1 }),
      "ssh: a token of a slot beyond the horizon",
    ],
    ["by an echo request", ping(), "wiki: a token of ada: the door is open"],
    ["of another user", datagram({ key: benKey ?? "" }), "ssh: a token of ben: the door is open"],
    [
      "over IPv6",
      [0, datagram({ key: benKey ?? "" }), "2001:db8::7"],
      "ssh: a token of ben: the door is open",
    ],
    [
      "from where its user's tokens do not count",
      [0, datagram({ key: benKey ?? "" }), "198.51.100.7"],
      "ssh: a token of a user whose tokens do not count from this source",
    ],
    ["of nobody", datagram({ key: evesKey ?? "" }), foreign],
    ["for another host", datagram({ host: "edge2.example.org" }), foreign],
    ["for another policy", datagram({ policy: "edge2" }), foreign],
    ["for another gate", datagram({ gate: "wiki" }), foreign],
    ["for a gate with a sequence", datagram({ gate: "web" }), foreign],
    [
      "of a user whose tokens open other gates",
      ping({ key: benKey ?? "" }),
      "wiki: of the size of a token, but none of this gate's users made it for this gate and host",
    ],
    [
      "of one byte more, which closes",
      datagram({}, 17),
      "ssh: a token of ada with one byte more: the door is closed",
    ],
    [
      "by an echo request of one byte more",
      ping({}, 33),
      "wiki: a token of ada with one byte more: the door is closed",
    ],
    ["of two bytes more", datagram({}, 18), ""],
    ["of one byte less", datagram({}, 15), ""],
    ["by an echo request of 16 bytes", ping({}, 16), ""],
    ["to another port", datagram({}, 16, 62_202), ""],
    ["from a link-local address", [0, datagram(), "169.254.7.7"], ""],
  ])("%s", (_, sent, words) => {
    const [said] = send([sent], { gates: [ssh, wiki] });
    expect(said).toBe(words);
  });

  test.each<readonly [string, readonly Sent[], readonly string[]]>([
    ["opens only once", [datagram(), [1, datagram()]], [opened, spent]],
    ["opens only once, whoever sends it", [datagram(), [1, datagram(), "198.51.100.7"]], [opened, spent]],
    [
      "is spent when it closes",
      [datagram({}, 17), datagram()],
      ["ssh: a token of ada with one byte more: the door is closed", spent],
    ],
    [
      "is not spent by a packet that does not count",
      [[0, datagram({ key: benKey ?? "" }), "198.51.100.7"], datagram({ key: benKey ?? "" })],
      [
        "ssh: a token of a user whose tokens do not count from this source",
        "ssh: a token of ben: the door is open",
      ],
    ],
    [
      "opens for its source only, and for its time only",
      [datagram(), [0, syn(22), "198.51.100.7"], [29, syn(22)], [30, syn(22)]],
      [
        opened,
        "ssh: dropped at the closed door",
        "ssh: came through the open door",
        "ssh: dropped at the closed door",
      ],
    ],
    [
      "closes for its source only",
      [
        datagram(),
        [0, datagram({ slot: now + 1 }), "198.51.100.7"],
        datagram({ slot: now + 2 }, 17),
        syn(22),
        [0, syn(22), "198.51.100.7"],
      ],
      [
        opened,
        opened,
        "ssh: a token of ada with one byte more: the door is closed",
        "ssh: dropped at the closed door",
        "ssh: came through the open door",
      ],
    ],
  ])("%s", (_, sent, words) => {
    expect(send(sent, { gates: [ssh, wiki] })).toEqual(words);
  });

  test.each<readonly [string, PacketKind, string]>([
    ["a right one", datagram(), opened],
    ["a closing one", datagram({}, 17), "ssh: a token of ada with one byte more: the door is closed"],
    ["one that the host holds for another gate", datagram({ gate: "wiki" }), foreign],
  ])("resets no sequence: %s", (_, kind, words) => {
    expect(send([syn(7), kind, syn(9)])).toEqual([
      "web: step 1 of 2 taken",
      words,
      "web: step 2 of 2 taken: the door is open",
    ]);
  });

  test.each<readonly [string, PacketKind]>([
    ["of nobody", datagram({ key: evesKey ?? "" })],
    ["that is late", datagram({ slot: now - 10 })],
    ["of another size", datagram({}, 18)],
  ])("resets a sequence as any other packet does, if it is one %s", (_, kind) => {
    const said = send([syn(7), kind, syn(9)]);
    expect(said[1]).toContain("web: not the next step: strict puts the source back to the start");
    expect(said[2]).toBe("web: not the next step; 0 of 2 taken");
  });

  test("counts from no denied source, and not even from an allowed one", () => {
    expect(send([datagram(), syn(22)], { denyFrom: [me] })).toEqual(["", "ssh: dropped at the closed door"]);
    expect(send([datagram(), syn(22)], { allowFrom: [me] })).toEqual(["", ""]);
  });

  test("lets in one connection for each opening, where the gate says so", () => {
    const gates = [{ ...ssh, singleConnection: true }];
    const [through, dropped] = ["ssh: came through the open door", "ssh: dropped at the closed door"];
    const again = datagram({ slot: now + 1 });
    expect(
      send([datagram(), syn(22), syn(22, 50_002), again, syn(22, 50_003)], {
        gates,
        users: input.users.slice(0, 1),
      }),
    ).toEqual([opened, through, dropped, opened, through]);
  });
});
