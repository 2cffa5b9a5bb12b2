import { expect, test } from "vitest";
import { isUnchanged, type Observed } from "../../../src/host/observed";

const confirmed = { owner: "stack", text: "table", listing: "listing" };
const loaded = { listing: "listing", sets: [], chains: [], counters: [] };
const host: Observed = {
  clientAddress: "192.0.2.1",
  backend: "nftables",
  nftVersion: "1.0.6",
  iptablesVersion: "",
  kernelRelease: "6.1.0-38-amd64",
  tables: "",
  sockets: "",
  missing: [],
  init: "systemd",
  unwritable: [],
};

test.each<readonly [string, Observed, boolean]>([
  ["that lists what was confirmed", { ...host, confirmed, loaded }, true],
  ["that lists something else", { ...host, confirmed, loaded: { ...loaded, listing: "other" } }, false],
  ["whose table is gone", { ...host, confirmed }, false],
  ["where nothing was confirmed", { ...host, loaded }, false],
  ["that has nothing of ours", host, false],
])("a host %s is unchanged: %s", (_, observed, expected) => {
  expect(isUnchanged(observed)).toBe(expected);
});
