import { expect, test } from "vitest";
import { describeNeighbours } from "../../../src/host/neighbours";
import type { Observed } from "../../../src/host/observed";
import { edge, readPolicy } from "../policy/read-policy";

const host: Observed = {
  clientAddress: "192.0.2.1",
  backend: "nftables",
  nftVersion: "1.0.6",
  kernelRelease: "6.1.0",
  iptablesVersion: "",
  tables: "",
  sockets: "",
  missing: [],
  init: "systemd",
  unwritable: [],
};

const confirmed = { owner: "me", text: "", listing: "" };

test.each<readonly [NonNullable<Observed["sudoLogs"]>, string]>([
  [["input"], "`Defaults:USER !log_input`"],
  [["output"], "`Defaults:USER !log_output`"],
  [["input", "output"], "`Defaults:USER !log_input, !log_output`"],
])("a sudo that logs %j is named, with the line that stops it", (sudoLogs, remedy) => {
  expect(describeNeighbours({ ...host, confirmed, sudoLogs }, readPolicy(edge))).toEqual([
    expect.stringContaining(
      `add ${remedy} to the host's sudoers, delete what the log has already, and change the knock`,
    ),
  ]);
  // Without a gate, there is nothing to delete. A change is refused.
  expect(describeNeighbours({ ...host, sudoLogs }, readPolicy(edge))).toEqual([]);
});

test("a sudo that logs nothing is not named", () => {
  expect(describeNeighbours({ ...host, sudoLogs: [] }, readPolicy(edge))).toEqual([]);
});
