import { describe, expect, test } from "vitest";
import { readAnswer } from "../../../../src/knock/read-answer";
import { explainCarrier, explainSsh, saysLittle } from "../../../../src/ssh/openssh/failure";

const expectation = { login: {}, keySource: "connection.hostKey" };

/** What OpenSSH prints, as it was seen from 8.2 to 10. */
const seen: readonly (readonly [string, string, RegExp])[] = [
  ["ssh: Could not resolve hostname edge: Name or service not known", "UNREACHABLE", /Could not resolve/],
  ["ssh: connect to host 203.0.113.7 port 22: Connection refused", "UNREACHABLE", /Connection refused/],
  ["ssh: connect to host 203.0.113.7 port 22: Connection timed out", "UNREACHABLE", /timed out/],
  [
    "kex_exchange_identification: Connection closed by remote host\nConnection closed by 203.0.113.7 port 22",
    "UNREACHABLE",
    /PerSourcePenalties.*MaxStartups/,
  ],
  [
    "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 203.0.113.7 port 22",
    "UNREACHABLE",
    /PerSourcePenalties.*MaxStartups/,
  ],
  [
    "No ED25519 host key is known for edge and you have requested strict checking.\nHost key verification failed.",
    "HOST_KEY_UNKNOWN",
    /nothing was sent.*@cert-authority/,
  ],
  [
    "@@@@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@@@@@\nThe fingerprint for the ED25519 key sent by the remote host is\nSHA256:0bBpm3l8UnMGyZZBlBGGaBhs0bVYdYw5UJ7lLQ6f9qE.\nHost key verification failed.",
    "HOST_KEY_MISMATCH",
    /its host key SHA256:0bBpm3l8UnMGyZZBlBGGaBhs0bVYdYw5UJ7lLQ6f9qE is not one that connection\.hostKey expects\. Nothing was sent/,
  ],
  [
    "Certificate invalid: expired\nNo ED25519-CERT host key is known for edge and you have requested strict checking.",
    "HOST_KEY_MISMATCH",
    /expired/,
  ],
  [
    "Certificate invalid: name is not a listed principal\nHost key verification failed.",
    "HOST_KEY_MISMATCH",
    /not a listed principal/,
  ],
  [
    "Unable to negotiate with 203.0.113.7 port 22: no matching host key type found. Their offer: ssh-rsa",
    "HOST_KEY_MISMATCH",
    /no host key of the kinds that are expected/,
  ],
  ["ops@edge: Permission denied (publickey).", "LOGIN_REFUSED", /Permission denied \(publickey\)/],
  [
    "Received disconnect from 203.0.113.7 port 22:2: Too many authentication failures",
    "LOGIN_REFUSED",
    /Too many authentication failures/,
  ],
  ["Confirm user presence for key ED25519-SK SHA256:abc", "LOGIN_REFUSED", /waits for a touch/],
  [
    "Unable to negotiate with 203.0.113.7 port 22: no matching key exchange method found. Their offer: x",
    "HOST_UNFIT",
    /KexAlgorithms/,
  ],
  [
    "/root/.ssh/config: line 3: Bad configuration option: nonsense\n/root/.ssh/config: terminating, 1 bad configuration options",
    "ARGUMENTS_INVALID",
    /nonsense.*Nothing was sent|Nothing was sent.*nonsense/,
  ],
  ["Bad owner or permissions on /root/.ssh/config", "ARGUMENTS_INVALID", /Bad owner/],
  ["", "UNREACHABLE", /ssh made no connection/],
];

describe("what ssh prints", () => {
  test.each(seen)("%j means %s", (stderr, code, words) => {
    const error = explainSsh("ops@edge:22", stderr, expectation);
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) });
    expect(error.message).toMatch(/^ops@edge:22: /);
  });

  test("tells a port that refuses from one that is silent", () => {
    const refused = "ssh: connect to host 203.0.113.7 port 22: Connection refused";
    expect(readAnswer(explainSsh("ops@edge:22", refused, expectation))).toBe("refused");
    expect(readAnswer(explainSsh("ops@edge:22", refused.replace("refused", "timed out"), expectation))).toBe(
      "silent",
    );
    const carrier = explainCarrier(
      "j",
      "channel 2: open failed: connect failed: Connection refused",
      "h",
      22,
    );
    expect(readAnswer(carrier)).toBe("refused");
  });

  test("is quoted without the password that was sent", () => {
    const error = explainSsh("ops@edge:22", "debug: hunter2 was wrong\nPermission denied (password).", {
      ...expectation,
      login: { password: "hunter2" },
    });
    expect(error.message).not.toContain("hunter2");
  });
});

test.each([
  ["", true],
  ["kex_exchange_identification: Connection closed by remote host", true],
  ["Connection closed by UNKNOWN port 65535", true],
  ["Connection reset by UNKNOWN port 65535", true],
  ["ops@edge: Permission denied (publickey).", false],
  ["Connection closed by 203.0.113.7 port 22", false],
])("a ProxyCommand may say more than %j: %s", (said, expected) => {
  expect(saysLittle(said)).toBe(expected);
});

test.each([
  [
    "channel 2: open failed: administratively prohibited: open failed\n",
    "HOST_UNFIT",
    "ops@jump:22: it does not permit forwarding to 203.0.113.7 port 22: see AllowTcpForwarding",
  ],
  [
    "channel 2: open failed: connect failed: Connection refused\r\n",
    "UNREACHABLE",
    "ops@jump:22: it could not connect to 203.0.113.7 port 22: Connection refused",
  ],
])("a carrier that logged %j is named", (log, code, words) => {
  const error = explainCarrier("ops@jump:22", log, "203.0.113.7", 22);
  expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
  expect(explainCarrier("ops@jump:22", "", "203.0.113.7", 22)).toBeUndefined();
});
