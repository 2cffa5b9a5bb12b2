import { expect, test } from "vitest";
import { readLoadedCounts } from "../../../src/change/counted";
import type { Observed } from "../../../src/host/observed";
import { parseReply } from "../../../src/host/script/program";
import type { Policy } from "../../../src/policy/policy";
import { makePolicy } from "../../suites/host/policies";

const policy = makePolicy();
const iptables: Policy = { ...policy, backend: "iptables" };
const nothing = parseReply("loaded=1\n");

/** A host whose tables count packets of gates with the same name. */
function look(table: string, dropped: number): Observed {
  const counter = { family: "inet", table, name: "ssh_dropped", packets: dropped };
  const other = { ...counter, table: "knockgate_other", packets: 99 };
  return {
    tables: JSON.stringify({ nftables: [{ counter: other }, { counter }, { counter: other }] }),
  } as Observed;
}

test("a new table's counters begin at zero", () => {
  const counts = readLoadedCounts(policy, "replace", look("knockgate_edge", 7), nothing);
  expect(counts?.get("ssh")).toEqual({ accepted: 0, dropped: 0 });
});

test("a refilled table's counters go on from where they were, and no other table's", () => {
  const counts = readLoadedCounts(policy, "refill", look("knockgate_edge", 7), nothing);
  expect(counts?.get("ssh")).toMatchObject({ accepted: 0, dropped: 7 });
});

test("a host whose tables could not be listed has to be asked", () => {
  const observed = { tables: "" } as Observed;
  expect(readLoadedCounts(policy, "refill", observed, nothing)).toBeUndefined();
});

test("iptables says after the load what it has counted", () => {
  const loaded = parseReply("loaded=1\n== counts\n|[5:300] -A kg_edge_ssh_door -j DROP\n");
  const counts = readLoadedCounts(iptables, "refill", { tables: "" } as Observed, loaded);
  expect(counts?.get("ssh")).toEqual({ accepted: 0, dropped: 5 });
  expect(readLoadedCounts(iptables, "refill", { tables: "" } as Observed, nothing)).toBeUndefined();
});
