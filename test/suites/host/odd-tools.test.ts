// Versions and builds that no Debian of the lab has: a stand-in before the real tool does what they do.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import type { Policy } from "../../../src/policy/policy";
import { beginLife, liveThroughGate } from "../hosts/life";
import { claimHost, deployTo } from "./deployment";
import { isLetIn, listFiles, listGate, waitForNoTimer } from "./inspection";
import { listDrift } from "./look";
import { newPolicy, newSteps, oldPolicy, oldSteps } from "./policies";

const request = { owner: "me", undoAfterSeconds: 60 };

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("a host", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 20, clients: 2, shell: "busybox" });
  });
  afterAll(() => lab?.close());

  const change = async (host: LabHost, policy: Policy, former?: Policy) => {
    const context = await deployTo(lab, host);
    const formerPolicies = former === undefined ? [] : [former];
    await changeHost({ ...request, policy, formerPolicies }, context);
    return context.lines;
  };
  const client = () => {
    const [first] = lab.clients;
    if (first === undefined) throw new Error("no client");
    return first;
  };

  const noJson = [
    ["is built without JSON", withoutJson, /nft \S+ was built without JSON/],
    ["crashes when it lists JSON", crashing, /nft \S+ fails to list a table as JSON/],
    ["writes half of its JSON", halting, /nft \S+ fails to list a table as JSON/],
  ] as const;

  test.each(noJson)(
    "whose nft %s is refused by name before anything is changed",
    async (_, nft, complaint) => {
      const host = claimHost(lab);
      await putTool(host, "nft", nft);
      const failure: Error = await change(host, oldPolicy).then(String, (error) => error);
      expect(failure).toMatchObject({ code: "HOST_UNFIT", message: expect.stringMatching(complaint) });
      expect(failure.message).toMatch(/1\/6 connect failed: .* Nothing was changed on the host\./s);
      expect([await host.ruleset(), await listFiles(host)]).toEqual(["", []]);
    },
  );

  test.each(noJson)(
    "whose nft %s only after the gate was made can be looked at, and its gate can be removed",
    async (_, nft, complaint) => {
      const host = claimHost(lab);
      await change(host, oldPolicy);
      await putTool(host, "nft", nft);
      expect(await listDrift(lab, host, oldPolicy)).toEqual([]);
      await expect(change(host, newPolicy, oldPolicy)).rejects.toMatchObject({
        code: "HOST_UNFIT",
        message: expect.stringMatching(complaint),
      });
      expect(await isLetIn(client(), host)).toBe(false);
      expect(await isLetIn(client(), host, oldSteps)).toBe(true);
      await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
      expect([await host.ruleset(), await listFiles(host)]).toEqual(["", []]);
    },
  );

  test("whose nft refuses a load and its undo in one transaction, but not alone, is changed", async () => {
    const host = claimHost(lab);
    await change(host, oldPolicy);
    await putTool(host, "nft", where('*" -c -f - "*', refuse));
    await change(host, newPolicy, oldPolicy);
    expect(await isLetIn(client(), host, newSteps)).toBe(true);
  });

  test("that could not load again what it has now is left untouched, and has no timer", async () => {
    const host = claimHost(lab);
    await change(host, oldPolicy);
    const before = [await listGate(host), await listFiles(host)];
    await putTool(host, "nft", where('*" -c -f - "* | *" -c -f "*/undo" "', refuse));
    await expect(change(host, newPolicy, oldPolicy)).rejects.toMatchObject({
      code: "STAGE_FAILED",
      message: expect.stringMatching(
        /2\/6 stage failed: .*could not be loaded again.* Nothing was changed on the host\./s,
      ),
    });
    await waitForNoTimer(host);
    expect([await listGate(host), await listFiles(host)]).toEqual(before);
    expect(await isLetIn(client(), host, oldSteps)).toBe(true);
  });

  test.each([
    ["writes a single flag as a word, as 1.1.4", wordy, []],
    ["can't list one of the other tables", unableTo("theirs"), ["table ip theirs"]],
    ["ends in the middle of all tables", unableTo("ruleset"), []],
    ["can't list the names of tables either", unableTo("ruleset tables"), ["all tables"]],
  ] as const)("whose nft %s gets its gate, and an update that keeps doors", async (_, nft, unlisted) => {
    const host = claimHost(lab);
    await host.run(["nft", "-f", "-"], { stdin: theirs });
    await putTool(host, "nft", nft);
    const first = await change(host, oldPolicy);
    const said = first.filter((line) => line.includes("the host's nft could not list"));
    expect(said).toHaveLength(unlisted.length);
    for (const what of unlisted) expect(said[0]).toContain(`warning: the host's nft could not list ${what}:`);
    const sees = unlisted.length === 0;
    expect(first.join("\n").includes("chain ip theirs input may drop")).toBe(sees);
    expect(await isLetIn(client(), host, oldSteps)).toBe(true);
    expect(await listDrift(lab, host, oldPolicy)).toEqual([]);
    expect((await change(host, newPolicy, oldPolicy)).join("\n")).toContain("open doors stay open");
    expect(await isLetIn(client(), host)).toBe(true);
    expect(await isLetIn(client(), host, newSteps)).toBe(true);
    await removeFromHost(newPolicy, "me", await deployTo(lab, host));
    expect(await host.ruleset()).not.toContain("knockgate");
  });

  test("that can't make a network namespace gets its gate nevertheless", async () => {
    const host = claimHost(lab);
    // Stands in for a container without the right to do so (capabilities(7), CAP_SYS_ADMIN).
    await putTool(host, "unshare", "echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1");
    await change(host, oldPolicy);
    expect(await listDrift(lab, host, oldPolicy)).toEqual([]);
    await change(host, newPolicy, oldPolicy);
    expect(await isLetIn(client(), host, newSteps)).toBe(true);
  });

  test("whose nft warns of something gets back what it had when a change fails", async () => {
    const host = claimHost(lab);
    await change(host, oldPolicy);
    await putTool(host, "nft", where('*" list "*', "echo 'Warning: odd' >&2"));
    const health = { command: "false", timeoutSeconds: 5 };
    const context = await deployTo(lab, host);
    const failing = changeHost(
      { ...request, policy: newPolicy, formerPolicies: [oldPolicy], health },
      context,
    );
    await expect(failing).rejects.toMatchObject({
      message: expect.stringMatching(/has put back what it had before/),
    });
    expect(await isLetIn(client(), host, oldSteps)).toBe(true);
    expect(await listDrift(lab, host, oldPolicy)).toEqual([expect.stringMatching(/^undone: /)]);
  });

  test.each([
    ["an odd error", "echo 'Error: Operation not permitted' >&2; exit 1"],
    ["no word", "kill -SEGV $$"],
    ["half of it", `${real} "$@" | head -n 5; exit 0`],
  ])("whose nft lists what would come back with %s is left untouched", async (_what, act) => {
    const host = claimHost(lab);
    await change(host, oldPolicy);
    const before = [await listGate(host), await listFiles(host)];
    await putTool(host, "nft", where('" list table inet knockgate_edge "', act));
    await expect(change(host, newPolicy, oldPolicy)).rejects.toMatchObject({
      message: expect.stringMatching(/2\/6 stage failed: .* Nothing was changed on the host\./s),
    });
    await waitForNoTimer(host);
    expect([await listGate(host), await listFiles(host)]).toEqual(before);
  });

  test("whose ln makes no hard links gets its gate", async () => {
    const host = claimHost(lab);
    await putTool(
      host,
      "ln",
      'case $1 in -*) exec /bin/ln "$@" ;; esac\necho "ln: not permitted" >&2; exit 1',
    );
    await change(host, oldPolicy);
    expect(await listDrift(lab, host, oldPolicy)).toEqual([]);
    await change(host, newPolicy, oldPolicy);
    expect(await isLetIn(client(), host, newSteps)).toBe(true);
  });

  test("whose iptables-restore refuses lines that make chains, as iptables-nft 1.8.4 does, supports a gate's whole life", async () => {
    const host = claimHost(lab);
    for (const tool of ["iptables", "ip6tables"])
      await putTool(host, `${tool}-restore`, withoutChainLines(tool));
    const life = beginLife(lab, host, "iptables");
    const before = await life.listAll();
    await liveThroughGate(life);
    await host.run(["sh", "-c", "iptables -D INPUT 1; ip6tables -D INPUT 1; iptables -F kg_edge"]);
    await host.run(["sh", "/var/lib/knockgate/edge/host.sh", "boot", "edge"]);
    expect(await listDrift(lab, host, life.policies.changed)).toEqual([]);
    await life.remove(life.policies.changed);
    expect(await life.listAll()).toBe(before);
    expect(await listFiles(host)).toEqual([]);
  });
});

/** Somebody else's table. Nothing of ours depends on it. */
const theirs = `table ip theirs {
	set nets {
		type ipv4_addr
		flags interval
	}
	chain input {
		type filter hook input priority filter; policy drop;
		ip saddr @nets drop
		meta mark 0x0 accept
	}
}
`;

const real = "/usr/sbin/nft";

/** Runs `act` instead of nft when the arguments match the pattern. */
function where(pattern: string, act: string): string {
  return `case " $* " in ${pattern}) ${act} ;; esac\nexec ${real} "$@"`;
}

const refuse = 'echo "Error: refused" >&2; exit 1';
const withoutJson = where('*" -j "*', "echo 'JSON support not compiled-in' >&2; exit 1");
const crashing = where('*" -j "*" table "* | *" -j "*" ruleset "*', "kill -SEGV $$");
const halting = where(
  '*" -j "*" table "* | *" -j "*" ruleset "*',
  `printf '{"nftables": [{"metainfo": {'; exit 1`,
);
const wordy = where('*" -j "*', `${real} "$@" | sed 's/"flags": \\[\\("[a-z]*"\\)\\]/"flags": \\1/g'; exit`);

/** Stands in for an nft that meets a rule that it does not know: it stops half-way, with an exit code. */
function unableTo(what: "theirs" | "ruleset" | "ruleset tables"): string {
  const half = `printf '{"nftables": [{"metainfo": {'; exit 1`;
  const patterns = {
    theirs: '*" -j "*" ruleset "* | *" -j "*" theirs "*',
    ruleset: '*" -j "*" ruleset "*',
    "ruleset tables": '*" -j "*" ruleset "* | *" list tables "*',
  };
  return where(patterns[what], half);
}

function withoutChainLines(tool: string): string {
  return `input=$(cat)
case " $* " in *" --noflush "*)
	if printf '%s\\n' "$input" | grep -q '^:.* - '; then
		echo "Bad argument \\\`-'" >&2
		exit 2
	fi ;;
esac
printf '%s\\n' "$input" | exec /usr/sbin/${tool}-restore "$@"`;
}

async function putTool(host: LabHost, name: string, program: string): Promise<void> {
  const place = `/usr/local/sbin/${name}`;
  await host.run(["sh", "-c", `cat >${place} && chmod 0755 ${place}`], { stdin: `#!/bin/sh\n${program}\n` });
}
