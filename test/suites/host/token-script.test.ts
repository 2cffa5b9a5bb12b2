import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostScript } from "../../../src/host/script/host-script";
import { tokenOf } from "../../../src/policy/token";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "knockgate-tokens-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs functions of the host script, with its files in a folder of the test. */
function run(shell: readonly string[], commands: string, policy = "edge"): string {
  const [tool = "", ...rest] = shell;
  const input = `${hostScript}\nbase=${directory}\nuse_policy ${policy}\nmkdir -p "$dir"\n${commands}\n`;
  const { stdout, stderr, status } = spawnSync(tool, [...rest, "-s"], { input, encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return stdout;
}

const shortest = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa";
const longest = "-_AZaz09kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQZx8Lw3Qe1Rt6Y";
const shells = [
  ["dash", ["dash"]],
  ["busybox", ["busybox", "sh"]],
] as const;

describe.each(shells)("in %s", (_name, shell) => {
  test.each([
    ["edge", "ssh", "edge.example.org", shortest, 29_940_000, 40],
    ["edge-2", "wg", "192.0.2.7", longest, 29_940_001, 3],
    ["e", "a_b", "fe80::1%eth0", longest.slice(3, 46), 2_047, 2_060],
    ["edge", "ssh", "EDGE_1.example.org", "A".repeat(43), 99_999_990, 20],
  ] as const)("makes the tokens of policy %s, gate %s, host %s", (policy, gate, host, key, first, count) => {
    const computed = run(
      shell,
      `token_host=${host}
compute() { name_bytes; use_key "${key}"; compute_tokens "${gate}" ${first} ${first + count - 1}; }
with_work compute`,
      policy,
    );
    const expected = Array.from({ length: count }, (_, index) => {
      const slot = first + index;
      return `${slot} ${tokenOf(key, { policy, gate, host, slot })}\n`;
    });
    expect(computed.split("\n").sort()).toEqual(expected.join("").split("\n").sort());
    expect(readdirSync(join(directory, policy))).toEqual([]);
  });

  test("a message for the ledger names the key, the gate and the host", () => {
    const name = (key: string, gate: string, host: string) =>
      run(
        shell,
        `token_host=${host} slot_seconds=60
name_key() { name_bytes; use_key "${key}"; print_key_id "${gate}"; }
with_work name_key`,
      );
    const names = [
      name(shortest, "ssh", "a"),
      name(longest, "ssh", "a"),
      name(shortest, "wg", "a"),
      name(shortest, "ssh", "a0"),
    ];
    expect(new Set(names).size).toBe(names.length);
    for (const each of names) expect(each).toMatch(/^[0-9a-f]{16}\/60\n$/);
  });

  test.each([
    ["", "5 9", "5 9"],
    ["5 9", "5 9", ""],
    ["1 2\n7 7\n20 30", "5 9", "5 6\n8 9"],
    ["1 5\n9 12", "5 9", "6 8"],
    ["3 20", "5 9", ""],
  ])("between the ranges %j, in %j, lie %j", (ranges, within, gaps) => {
    const [first = "", last = ""] = within.split(" ");
    expect(
      run(shell, `printf '%s' '${ranges === "" ? "" : `${ranges}\n`}' | print_gaps ${first} ${last}`),
    ).toBe(gaps === "" ? "" : `${gaps}\n`);
  });

  test("joins ranges that touch each other, for each key", () => {
    const ranges = "b/60 3 4\na/60 10 12\na/60 1 2\na/60 3 9\nb/60 6 6\na/3600 1 1\nb/60 4 4";
    expect(run(shell, `printf '%s\\n' '${ranges}' | merge_ranges`)).toBe(
      "a/3600 1 1\na/60 1 12\nb/60 3 4\nb/60 6 6\n",
    );
  });

  test("takes slots out of the ledger", () => {
    const commands = `printf '%s\\n' 'a/60 1 10' 'b/60 1 10' >"$dir/ledger"
back() { printf '%s\\n' 'a/60 3 3' 'a/60 4 4' 'a/60 10 10' | give_back; }
with_work back
cat "$dir/ledger"; rm "$dir/ledger"`;
    expect(run(shell, commands)).toBe("a/60 1 2\na/60 5 9\nb/60 1 10\n");
  });

  test.each([
    ["6d23h59m58s984ms", 604_798],
    ["59m58s", 3_598],
    ["58s984ms", 58],
    ["984ms", 0],
    ["2d", 172_800],
    ["1h5ms", 3_600],
    ["3m", 180],
  ])("reads %s as %d seconds", (said, seconds) => {
    expect(run(shell, `count_seconds ${said}; echo "$seconds"`)).toBe(`${seconds}\n`);
  });

  test("an old nft's listing of a set of tokens can be loaded, and holds no tokens", () => {
    const listing = `table inet knockgate_edge {
	set tokens_16384 {
		type 0
		size 16384
		flags dynamic,timeout
		elements = { 37750439813183475402206474034567134786 timeout 7d expires 6d23h59m, 7 timeout 7d expires 6d,
			     9 timeout 7d expires 6d }
	}

	set ssh_user_ada_9c1e2f04 {
		typeof @th,64,128
		size 26	# count 1
		flags dynamic,timeout
		elements = { 0x1c70a366cbb9dd0b45cc64882cba4a42 timeout 7d expires 6d }
	}

	set ssh_open_v4 {
		type ipv4_addr
		elements = { 192.0.2.1 timeout 1m expires 30s }
	}
}
`;
    const shown = run(shell, `sed -e "$lasting" -e "$tokens_in_sets" <<'END'\n${listing}END`);
    expect(shown).toBe(
      listing
        .replace("type 0", "typeof @th,64,128")
        .replace("	# count 1", "")
        .replace(/\t\telements = \{ 3[^}]*\}\n/, "")
        .replace(/\t\telements = \{ 0x[^}]*\}\n/, ""),
    );
  });
});

// Debian builds mksh without its printf.
test.each([
  ["mksh", "refused"],
  ["dash", "taken"],
  ["bash", "taken"],
])("%s is %s by whether it has a printf of its own", (shell, answer) => {
  expect(run([shell], "if has_own_printf; then echo taken; else echo refused; fi")).toBe(`${answer}\n`);
});
