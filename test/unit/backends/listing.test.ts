import { describe, expect, test } from "vitest";
import { iptables } from "../../../src/backends/iptables/iptables";
import { arrangeLike } from "../../../src/backends/listing";
import { nftables } from "../../../src/backends/nftables/nftables";

const arrangeNft = (listing: string, model: string) => arrangeLike(listing, model, nftables.splitListing);

const block = (name: string, ...lines: readonly string[]) =>
  `\t${name} {\n${lines.map((line) => `\t\t${line}\n`).join("")}\t}\n`;
const table = (...blocks: readonly string[]) => `table inet knockgate_edge {\n${blocks.join("\n")}}\n`;

const counter = block("counter ssh_opened");
const set = block("set ssh_open_v4", "type ipv4_addr", "flags dynamic,timeout");
const chain = block("chain ssh_door", "tcp dport vmap { 22 : goto a,", "\t\t     80 : goto b }", "drop");

describe("a listing of nft in the order of another", () => {
  test.each([
    ["as the other", [counter, set, chain], [counter, set, chain]],
    ["in another order", [chain, set, counter], [counter, set, chain]],
    ["less a block", [chain, counter], [counter, chain]],
    [
      "with a block that the other lacks",
      [block("set more"), counter, set],
      [block("set more"), counter, set],
    ],
  ])("%s, has its own blocks in that order", (_, own, arranged) => {
    expect(arrangeNft(table(...own), table(counter, set, chain))).toBe(table(...arranged));
  });

  test("keeps the order of a chain's rules", () => {
    const other = block("chain ssh_door", "drop", "tcp dport vmap { 22 : goto a,", "\t\t     80 : goto b }");
    expect(arrangeNft(table(other, set), table(set, chain))).toBe(table(set, other));
  });
});

test("a listing of iptables has its chains in the order of another, by family, each with its rules in their order", () => {
  const write = (...lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
  const own = write(
    "# ipv4",
    ":kg_a -",
    ":kg_b -",
    "-A kg_a 1",
    "-A kg_a 2",
    "-A kg_b 3",
    "# ipv6",
    ":kg_a -",
  );
  const model = write(
    "# ipv4",
    ":kg_b -",
    ":kg_a -",
    "-A kg_b 3",
    "-A kg_a 2",
    "-A kg_a 1",
    "# ipv6",
    ":kg_a -",
  );
  const arranged = write(
    ...["# ipv4", ":kg_b -", ":kg_a -", "-A kg_b 3", "-A kg_a 1", "-A kg_a 2", "# ipv6", ":kg_a -"],
  );
  expect(arrangeLike(own, model, iptables.splitListing)).toBe(arranged);
});

test.each(["", "something else\n", "no end of line"])("other text, as %j, stays unchanged", (text) => {
  expect(arrangeNft(text, table(set))).toBe(text);
  expect(arrangeLike(text, "# ipv4\n", iptables.splitListing)).toBe(text);
});
