import { expect, test } from "vitest";
import { checkLockout, checkPreflight } from "../../../src/change/preflight";
import type { Observed } from "../../../src/host/observed";
import { edge, readPolicy } from "../policy/read-policy";

const fit = {
  clientAddress: "192.0.2.9",
  backend: "nftables",
  nftVersion: "1.0.6",
  iptablesVersion: "",
  kernelRelease: "6.1.0-38-amd64",
  missing: [],
  init: "systemd",
  unwritable: [],
} as unknown as Observed;

function complain(more: Partial<Observed>): string {
  try {
    checkPreflight({ ...fit, ...more });
  } catch (error) {
    expect(error).toMatchObject({ code: "HOST_UNFIT" });
    return (error as Error).message;
  }
  return "";
}

test.each(["0.9.3", "0.9.8", "1.0.0", "1.0.4", "1.0.6", "1.0.6.1", "1.0.10", "1.1", "1.1.7", "2.0.0"])(
  "nft %s is new enough",
  (nftVersion) => {
    expect(complain({ nftVersion })).toBe("");
  },
);

test.each(["0.9.2", "0.9.0", "0.9", "0.8.5"])("nft %s is too old", (nftVersion) => {
  expect(complain({ nftVersion })).toContain(
    `nft ${nftVersion} is older than 0.9.3, and older versions do not have sets that rules fill and empty: upgrade`,
  );
});

test.each(["0.9.9", "1.0.1"])("nft %s is refused by name, whatever it says of JSON", (nftVersion) => {
  for (const json of [{}, { nftJson: "fails" }] as const) {
    expect(complain({ nftVersion, ...json })).toMatch(
      new RegExp(`^nft ${nftVersion.replaceAll(".", "\\.")} crashes when it lists a table as JSON[^;]*$`),
    );
  }
});

test.each([
  ["5.3.18-150300.59.93-default", "5.3.18"],
  ["4.19.0-27-amd64", "4.19.0"],
  ["4.14.355-277.643.amzn2.x86_64", "4.14.355"],
])("the kernel %s is refused by name with both backends", (kernelRelease, version) => {
  for (const backend of ["nftables", "iptables"] as const) {
    expect(complain({ backend, kernelRelease })).toContain(`its kernel ${version} is older than 5.4, and`);
  }
});

test.each(["5.4.0-216-generic", "5.10.0-35-amd64", "5.15", "6.18.44", "4.18.0-553.el8_10.x86_64", "", "GNU"])(
  "the kernel %j is new enough, or its number says nothing",
  (kernelRelease) => {
    for (const backend of ["nftables", "iptables"] as const)
      expect(complain({ backend, kernelRelease })).toBe("");
  },
);

test.each([
  ["missing", "nft 1.0.6 was built without JSON"],
  ["fails", "nft 1.0.6 fails to list a table as JSON"],
] as const)("an nft whose JSON is %s is refused by name", (nftJson, complaint) => {
  expect(complain({ nftJson })).toContain(complaint);
  expect(complain({ nftVersion: "", nftJson })).toMatch(/^nft is missing: [^;]*$/);
});

test("an nft that crashes over what is loaded is refused by name, and for that reason only", () => {
  const message = complain({ nftJson: "fails", isUnlisted: true });
  expect(message).toContain("nft 1.0.6 crashes when it lists the host's tables");
  expect(message).not.toContain("JSON");
});

test.each([
  ["iptables v1.8.4 (nf_tables)", ""],
  ["iptables v1.8.13 (legacy)", ""],
  ["iptables v1.10.0 (legacy)", ""],
  ["", ""],
  [
    "iptables v1.8.2 (nf_tables)",
    "iptables 1.8.2 is older than 1.8.4, and no older version was tried: upgrade",
  ],
  ["iptables v1.4.21", "iptables 1.4.21 is older than 1.8.4"],
])("iptables that calls itself %j is fit or not, by its version", (iptablesVersion, complaint) => {
  const message = complain({ backend: "iptables", nftVersion: "", iptablesVersion });
  if (complaint === "") expect(message).toBe("");
  else expect(message).toContain(complaint);
});

test("a host without systemd is fit", () => {
  expect(complain({ init: "other" })).toBe("");
});

test("a host with a folder that can't be written is told which", () => {
  const message = complain({ unwritable: ["/var/lib", "/etc/systemd/system"] });
  expect(message).toContain("/var/lib can't be written: is it mounted read-only?; /etc/systemd/system can't");
});

test("a host that lacks several things is told all of them at once", () => {
  const message = complain({ nftVersion: "", missing: ["flock", "setsid"] });
  expect(message).toMatch(/^nft is missing: install the package nftables; /);
  expect(message).toContain("the command flock is missing");
  expect(message).toContain("the command setsid is missing");
  expect(message).not.toContain("is older");
});

test("a host whose backend is iptables needs no nft, and is told what it lacks", () => {
  const iptables = { backend: "iptables", nftVersion: "" } as const;
  expect(complain(iptables)).toBe("");
  expect(complain({ ...iptables, missing: ["ip6tables-restore"] })).toContain(
    "the command ip6tables-restore is missing",
  );
});

const wayBack = { sshPort: 22, isProvenElsewhere: false };

test.each<readonly [string, object, object, boolean]>([
  ["fe80::9", {}, {}, true],
  ["169.254.7.9", {}, {}, true],
  ["169.254.7.9", { allowFrom: ["169.254.7.0/24"] }, {}, false],
  ["fe80::9", { allowFrom: ["fe80::/64"] }, {}, false],
  ["fe80::9", {}, { isProvenElsewhere: true }, true],
  ["fe80::9", {}, { isProvenElsewhere: true, sshPort: 2222 }, false],
  ["fe80::9", {}, { sshPort: 2222 }, true],
  ["fec0::9", {}, {}, false],
])(
  "a deployer that comes from %s is told whether a door can open for it",
  (clientAddress, lists, way, isLockedOut) => {
    const check = () =>
      checkLockout({ ...fit, clientAddress }, readPolicy({ ...edge, ...lists }), { ...wayBack, ...way });
    if (isLockedOut) expect(check).toThrow(/link-local address .*allowFrom.*\[LOCKOUT\]/);
    else expect(check).not.toThrow();
  },
);

test.each<readonly [string, object, boolean]>([
  ["in no list", {}, false],
  ["in allowFrom", { allowFrom: ["192.0.2.0/24"] }, false],
  ["in denyFrom", { denyFrom: ["192.0.2.9"] }, true],
  ["in both", { allowFrom: ["192.0.2.9"], denyFrom: ["192.0.2.0/24"] }, true],
  ["of the other family", { denyFrom: ["2001:db8::/32"] }, false],
])("a deployer whose address is %s is locked out or not, as the policy says", (_, lists, isLockedOut) => {
  const check = () => checkLockout(fit, readPolicy({ ...edge, ...lists }), wayBack);
  if (isLockedOut) expect(check).toThrow(/denyFrom.*\[LOCKOUT\]/);
  else expect(check).not.toThrow();
});

test.each([
  [["input"], "(log_input)", "`Defaults:USER !log_input`"],
  [["input", "output"], "(log_input, log_output)", "`Defaults:USER !log_input, !log_output`"],
] as const)(
  "a sudo that keeps %j is refused, because its log would get the knock",
  (sudoLogs, what, remedy) => {
    const message = complain({ sudoLogs });
    expect(message).toContain(what);
    expect(message).toContain(`must not get the ruleset with the knock: add ${remedy} to the host's sudoers`);
  },
);
