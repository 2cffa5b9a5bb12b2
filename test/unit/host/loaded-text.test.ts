import { describe, expect, test } from "vitest";
import { describeLoaded } from "../../../src/host/loaded-text";
import type { Observed } from "../../../src/host/observed";

/** The text that we load. */
const text = `table inet knockgate_edge {
	set ssh_open_v4 {
		type ipv4_addr
		size 65536
		flags dynamic,timeout
	}

	chain input {
		type filter hook input priority filter - 10; policy accept;
		iif "lo" accept
		tcp flags & (syn | ack | rst) == syn goto new_connections
		meta l4proto udp ct state != { established, related } goto new_connections
	}

	chain ssh_door {
		ip saddr @ssh_open_v4 accept
		drop
	}

	chain ssh_sequence {
		tcp dport 7000 update @ssh_open_v4 { ip saddr timeout 30s } comment "ssh: opens"
	}
}
`;
/** The same as another version of nft might write it. */
const listing = text
  .replace("tcp flags & (syn | ack | rst) == syn", "tcp flags syn / syn,ack,rst")
  .replace("ct state != { established, related }", "ct state != { related, established }");

describe("a host's ruleset", () => {
  test("is the confirmed text where the kernel lists what it listed then", () => {
    expect(showLoaded(listing)).toBe(text);
  });

  test("is nothing where the table is not loaded", () => {
    expect(describeLoaded({ ...host, confirmed: { owner: "x", text, listing } })).toBe("");
    expect(describeLoaded(host)).toBe("");
  });

  test("is the listing where nothing was confirmed", () => {
    expect(describeLoaded({ ...host, loaded: { listing, sets: [], chains: [], counters: [] } })).toBe(
      listing,
    );
  });

  test.each<readonly [string, string, string]>([
    ["a rule that was added", "\t\tdrop\n", "\t\ttcp dport 22 accept\n\t\tdrop\n"],
    ["a rule that was removed", "\t\tdrop\n", ""],
    ["a rule that was changed", "tcp dport 7000 update", "tcp dport 7777 update"],
    ["a rule at the top of a chain", '\t\tiif "lo" accept\n', '\t\tcounter\n\t\tiif "lo" accept\n'],
    ["a rule at the end of a chain", '"ssh: opens"\n', '"ssh: opens"\n\t\tdrop\n'],
    ["a time that was changed", "timeout 30s", "timeout 1h"],
    ["a set that lost a line", "\t\tsize 65536\n", ""],
  ])("shows %s as one difference to the confirmed text, and nothing else", (_, from, to) => {
    const drifted = listing.replace(from, to);
    expect(drifted).not.toBe(listing);
    expect(showLoaded(drifted)).toBe(text.replace(from, to));
  });

  test("shows several changes in several places", () => {
    const change = (old: string) => {
      return old
        .replace("\t\tdrop\n", "")
        .replace('\t\tiif "lo" accept\n', '\t\tip saddr 192.0.2.1 accept\n\t\tiif "lo" accept\n')
        .replace("\tchain ssh_sequence", "\tchain theirs {\n\t}\n\n\tchain ssh_sequence");
    };
    expect(showLoaded(change(listing))).toBe(change(text));
  });

  test.each([
    ["in", "syn / syn,ack,rst goto new_connections", "syn / syn,ack,rst accept"],
    ["right before", "\t\ttcp flags syn", "\t\tip saddr 192.0.2.1 accept\n\t\ttcp flags syn"],
    ["right behind", "goto new_connections\n\t}", "goto new_connections\n\t\tip saddr 192.0.2.1 accept\n\t}"],
  ])("shows a change %s a line that nft writes in other words, at least by what nft says", (_, from, to) => {
    const drifted = listing.replace(from, to);
    expect(drifted).not.toBe(listing);
    const shown = showLoaded(drifted);
    expect(shown).not.toBe(text);
    expect(shown).toMatch(/tcp flags syn \/ syn,ack,rst accept|ip saddr 192\.0\.2\.1 accept/);
  });

  test("is the listing itself where it has nothing in common with what was confirmed", () => {
    const other = "table inet knockgate_edge {\n\tchain theirs {\n\t}\n}\n";
    expect(showLoaded(other)).not.toBe(text);
    expect(showLoaded(other)).toContain("chain theirs");
  });

  test("differs from the confirmed text whenever the kernel has something else", () => {
    // Each line of the listing is once doubled and once left out.
    const lines = listing.split("\n").slice(0, -1);
    for (const [index, line] of lines.entries()) {
      if (line.trim() === "}" || line.trim() === "") continue;
      const [before, after] = [lines.slice(0, index), lines.slice(index + 1)];
      expect(showLoaded(`${[...before, ...after].join("\n")}\n`)).not.toBe(text);
      expect(showLoaded(`${[...before, line, line, ...after].join("\n")}\n`)).not.toBe(text);
    }
  });
});

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

function showLoaded(now: string): string {
  return describeLoaded({
    ...host,
    confirmed: { owner: "stack", text, listing },
    loaded: { listing: now, sets: [], chains: [], counters: [] },
  });
}
