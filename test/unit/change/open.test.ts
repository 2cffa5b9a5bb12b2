import { describe, expect, test } from "vitest";
import { openRoute, type SshOpening } from "../../../src/change/open";
import { makePurse } from "../../../src/change/purse";
import type { ClientKnock } from "../../../src/knock/clients/client-knock";
import type { KnockStep, PortAnswer } from "../../../src/knock/packet";

const tokens: ClientKnock = {
  kind: "tokens",
  carrier: { kind: "icmpEcho" },
  user: "ada",
  key: "a".repeat(43),
  policy: "edge",
  gate: "ssh",
  host: "edge.test",
  settings: { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 },
};
const sequence: ClientKnock = { kind: "sequence", steps: [{ kind: "tcp", port: 7_000 }] };

/** Opens a gate of a host whose port gives these answers. Returns what was sent and asked, in order. */
async function open(opening: Partial<SshOpening>, answers: readonly PortAnswer[]) {
  const sent: KnockStep[][] = [];
  const events: string[] = [];
  const left = [...answers];
  const route = {
    knock: async (steps: readonly KnockStep[]) => {
      sent.push([...steps]);
      events.push("knock");
    },
    probePort: async (port: number) => {
      const answer = left.shift() ?? "silent";
      events.push(`${port} ${answer}`);
      return answer;
    },
  };
  await openRoute(
    route,
    { knocks: [tokens], port: 22, isSingle: false, ...opening },
    makePurse(() => 1.8e12),
  );
  return { events, sent };
}

describe("opening a gate for somebody else's connection", () => {
  test("asks the port after a token, and sends another one only when it is silent", async () => {
    expect((await open({}, ["open"])).events).toEqual(["knock", "22 open"]);
    expect((await open({}, ["silent", "refused"])).events).toEqual([
      ...["knock", "22 silent", "knock", "22 refused"],
    ]);
  });

  test("ends quietly when no token opens: whoever dials reports it", async () => {
    const { events, sent } = await open({}, []);
    expect(events.filter((event) => event === "knock")).toHaveLength(4);
    expect(new Set(sent.flat().map((step) => step.kind === "token" && step.token)).size).toBe(4);
  });

  test("knocks once more when the question was the one connection that the door lets in", async () => {
    expect((await open({ isSingle: true }, ["open"])).events).toEqual(["knock", "22 open", "knock"]);
  });

  test("sends a sequence once, and asks nothing", async () => {
    expect(await open({ knocks: [sequence] }, [])).toEqual({
      events: ["knock"],
      sent: [[{ kind: "tcp", port: 7_000 }]],
    });
  });

  test("opens the gates of other policies first, each time", async () => {
    const { sent } = await open({ knocks: [sequence, tokens] }, ["silent", "open"]);
    expect(sent.map((steps) => steps.map(({ kind }) => kind))).toEqual([
      ["tcp", "token"],
      ["tcp", "token"],
    ]);
  });
});
