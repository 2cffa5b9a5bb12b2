import { expect, test } from "vitest";
import { findServedSteps } from "../../../src/host/listening";
import { readPolicy } from "../policy/read-policy";

const policy = readPolicy({
  name: "edge",
  gates: [
    {
      name: "ssh",
      protect: [{ tcp: "22" }],
      knock: { steps: [{ tcp: 8_080 }, { udp: 5_353 }, { icmpPayloadBytes: 80 }] },
    },
    { name: "web", protect: [{ tcp: "443" }], knock: { steps: [{ udp: 8_080 }, { tcp: 8_080 }] } },
  ],
});

/** proc(5): state 0A listens, 01 is established, 07 is an unconnected UDP socket. */
const head =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const line = (local: string, state: string) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0`;
const any6 = "00000000000000000000000000000000";

test.each<readonly [string, readonly string[], readonly string[]]>([
  ["nothing", [], []],
  ["a TCP service", ["tcp", head, line("00000000:1F90", "0A")], ["ssh 1", "web 2"]],
  ["a TCP service on IPv6", ["tcp", head, line(`${any6}:1F90`, "0A")], ["ssh 1", "web 2"]],
  ["a UDP service", ["udp", head, line("00000000:14E9", "07")], ["ssh 2"]],
  [
    "services that ss lists",
    [
      "udp   UNCONN 0      0          127.0.0.53%lo:5353       0.0.0.0:*   ",
      "tcp   LISTEN 0      4096                   *:8080              *:*   ",
    ],
    ["ssh 1", "ssh 2", "web 2"],
  ],
  [
    "a service on IPv6 that ss lists",
    ["udp   UNCONN 0      0       [fe80::1]%eth0:8080       [::]:*   "],
    ["web 1"],
  ],
  ["a service that ss lists on another port", ["tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:8080"], []],
  ["one of each", ["tcp", head, "udp", head, line("0100007F:1F90", "07")], ["web 1"]],
  ["a connection from such a port", ["tcp", head, line("00000000:1F90", "01")], []],
  ["another port", ["tcp", head, line("00000000:1F91", "0A"), "udp", head], []],
  ["a port that only looks alike in decimal", ["tcp", head, line("00000000:8080", "0A")], []],
  ["lines of another kind", ["tcp", "no such file", "x:y z", ":", "udp", "::::"], []],
])("for a host with %s, the steps to its listening ports are found", (_, lines, served) => {
  const found = findServedSteps(lines.join("\n"), policy);
  expect(found.map(({ gate, position }) => `${gate} ${position}`)).toEqual(served);
});
