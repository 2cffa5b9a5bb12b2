import { describe, expect, test } from "vitest";
import { explainSsh } from "../../../../src/ssh/openssh/failure";

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
    "@@@@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@@@@@\nHost key verification failed.",
    "HOST_KEY_MISMATCH",
    /Either this is another machine/,
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
    /Their offer/,
  ],
  ["ops@edge: Permission denied (publickey).", "LOGIN_REFUSED", /Permission denied \(publickey\)/],
  [
    "Received disconnect from 203.0.113.7 port 22:2: Too many authentication failures",
    "LOGIN_REFUSED",
    /Too many authentication failures/,
  ],
  ["Confirm user presence for key ED25519-SK SHA256:abc", "LOGIN_REFUSED", /waits for a touch/],
  [
    "channel 0: open failed: administratively prohibited: open failed\nstdio forwarding failed",
    "HOST_UNFIT",
    /AllowTcpForwarding/,
  ],
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
    const error = explainSsh("ops@edge:22", stderr, undefined);
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) });
    expect(error.message).toMatch(/^ops@edge:22: /);
  });

  test("is quoted without the password that was sent", () => {
    const error = explainSsh(
      "ops@edge:22",
      "debug: hunter2 was wrong\nPermission denied (password).",
      "hunter2",
    );
    expect(error.message).not.toContain("hunter2");
  });
});
