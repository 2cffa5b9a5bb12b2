import { expect, test } from "vitest";
import { explainPolicy } from "../../../src/explain/explanation";
import { renderHtml } from "../../../src/explain/html";
import { renderMermaid } from "../../../src/explain/mermaid";
import { renderSvg } from "../../../src/explain/svg";
import { renderTable } from "../../../src/explain/table";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../policy/read-policy";

const team: PolicyInput = {
  name: "edge",
  users: [
    { name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" },
    {
      name: "ben",
      key: "Zx8Lw3Qe1Rt6Yu9Io2Pa5Sd7Fg0Hj4Kl_Zc-VbNmAqW",
      gates: ["ssh"],
      from: ["192.0.2.0/24"],
    },
  ],
  deployAs: "ben",
  gates: [
    { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } }, singleConnection: true },
    { name: "wiki", protect: [{ tcp: "443" }], knock: { token: { icmpEcho: true } }, openForSeconds: 60 },
  ],
};

function explain(more: Partial<PolicyInput> = {}) {
  return explainPolicy(readPolicy({ ...team, ...more }), { key: "k", showSecrets: true });
}

test("a token gate is explained in words: what to send, who may, and how long", () => {
  const { gates, sources } = explain();
  const [ssh, wiki] = gates.map(({ parts }) => parts.map(({ name, meaning }) => `${name}: ${meaning}`));
  expect(ssh).toEqual([
    "protects: TCP 22",
    "token: UDP datagram to port 62201 with an unused token of a user",
    "open for: 30 s after the token, for one new connection of that source; connections that were made go on",
    "strength: 128 bits: at 100 tries a second, more than a billion years on average",
  ]);
  expect(wiki?.slice(1, 3)).toEqual([
    "token: echo request with an unused token of a user",
    "open for: 1 min after the token, for new connections of that source; connections that were made go on",
  ]);
  expect(sources.slice(0, 3).map(({ path, name, meaning }) => `${path} ${name}: ${meaning}`)).toEqual([
    "users[0] user ada: opens ssh, wiki from anywhere; Knockgate passes wiki as this user",
    "users[1] user ben: opens ssh from 192.0.2.0/24; Knockgate passes ssh as this user",
    "tokens tokens: one for each 1 min, good until 2 min after that time; the host holds those of the next 7 days",
  ]);
});

test.each<readonly [PolicyInput["tokens"], string]>([
  [
    { slotSeconds: 30, graceSeconds: 0, horizonDays: 1 },
    "one for each 30 s, good until the end of that time; the host holds those of the next 1 day",
  ],
  [
    { slotSeconds: 3_600, graceSeconds: 90, horizonDays: 90 },
    "one for each 1 h, good until 90 s after that time; the host holds those of the next 90 days",
  ],
])("tokens with %j are explained", (tokens, meaning) => {
  expect(explain({ tokens }).sources.find(({ name }) => name === "tokens")?.meaning).toBe(meaning);
});

test("its states are closed and open, and the picture says what closes it", () => {
  expect(renderMermaid(explain())).toBe(`stateDiagram-v2
    accTitle: policy edge
    state "gate ssh#58; TCP 22" as gate0 {
        state "closed" as gate0_0
        state "open" as gate0_1
        [*] --> gate0_0
        gate0_0 --> gate0_1 : UDP datagram to port 62201 with an unused token of a user
        gate0_1 --> gate0_0 : 30 s after the token, or after one connection, or by a token with one byte more
    }
    state "gate wiki#58; TCP 443" as gate1 {
        state "closed" as gate1_0
        state "open" as gate1_1
        [*] --> gate1_0
        gate1_0 --> gate1_1 : echo request with an unused token of a user
        gate1_1 --> gate1_0 : 1 min after the token, or by a token with one byte more
    }
`);
  const svg = renderSvg(explain());
  expect(svg).toContain(
    "Gate wiki protects TCP 443. It is closed until a source has sent: echo request with an unused token of a user.",
  );
  expect(svg).toContain(">one token<");
});

test("no key, and no line that only a key's owner could write, is in any form of it", () => {
  const all = [renderTable(explain()), renderHtml(explain()), renderSvg(explain()), renderMermaid(explain())];
  expect(all.join("")).not.toMatch(/kFq2|Zx8L/);
});
