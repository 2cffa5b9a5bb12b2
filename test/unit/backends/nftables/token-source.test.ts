import { expect, test } from "vitest";
import { writeTokenSource } from "../../../../src/backends/nftables/token-source";
import { lowerForBackend } from "../../../../src/backends/render";
import { readPolicy } from "../../policy/read-policy";

const users = [
  { name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" },
  { name: "ci", key: "Zx8Lw3Qe1Rt6Yu9Io2Pa5Sd7Fg0Hj4Kl_Zc-VbNmAqW", gates: ["ssh"] },
];
const policy = readPolicy({
  name: "edge",
  users,
  gates: [
    { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } },
    { name: "wg", protect: [{ udp: "51820" }], knock: { token: { icmpEcho: true } } },
  ],
  tokens: { slotSeconds: 30, horizonDays: 2, graceSeconds: 90 },
});

test("the source has each fact on a line, and a line for each user of each gate", () => {
  const text = writeTokenSource(lowerForBackend(policy), "192.0.2.7", policy.tokens) ?? "";
  const [all = "", ...lines] = text.trimEnd().split("\n").slice(5);
  expect(text.split("\n").slice(0, 5)).toEqual([
    "policy edge",
    "host 192.0.2.7",
    "slot 30",
    "horizon 172800",
    "grace 90",
  ]);
  expect(all).toBe("all tokens_32768");
  expect(lines.map((line) => line.replace(/_[0-9a-f]{8} /, "_LABEL "))).toEqual([
    `user ssh_user_ada_LABEL ssh ${users[0]?.key}`,
    `user ssh_user_ci_LABEL ssh ${users[1]?.key}`,
    `user wg_user_ada_LABEL wg ${users[0]?.key}`,
  ]);
});

test("a policy without tokens has no source", () => {
  const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 7_000 }] } }];
  const plain = readPolicy({ name: "edge", gates });
  expect(writeTokenSource(lowerForBackend(plain), "192.0.2.7", plain.tokens)).toBeUndefined();
});

test.each(["edge.example.org", "2001:db8::7", "fe80::1%eth0", "host_1"])(
  "a host may be called %j",
  (host) => {
    expect(writeTokenSource(lowerForBackend(policy), host, policy.tokens)).toContain(`\nhost ${host}\n`);
  },
);

test.each(["", "a b", "a\nuser x ssh y", "a;b", "$(id)"])("a host can't be called %j", (host) => {
  expect(() => writeTokenSource(lowerForBackend(policy), host, policy.tokens)).toThrow(
    "not a host for tokens",
  );
});
