import { describe, expect, test } from "vitest";
import { isUnchanged, type Observed } from "../../../../src/host/observed";
import { observeHost } from "../../../../src/host/script/observe";
import type { CommandResult, Program } from "../../../../src/ssh/host";
import { edge, readPolicy } from "../../policy/read-policy";

const policy = readPolicy(edge);
const bare = "client=192.0.2.9\nnft=nftables v1.0.9 (Old Doc Yak #3)\ninit=systemd\n";
const own = { family: "inet", table: "knockgate_edge" };
const table = {
  nftables: [
    { metainfo: { version: "1.0.9", json_schema_version: 1 } },
    { table: { family: "inet", name: "knockgate_edge", handle: 5 } },
    {
      set: {
        ...own,
        name: "ssh_open_v4",
        type: "ipv4_addr",
        size: 65_536,
        flags: ["timeout", "dynamic"],
        handle: 1,
      },
    },
    {
      set: {
        ...own,
        name: "ssh_packet1_v4",
        type: ["ipv4_addr", "inet_service"],
        size: 65_536,
        flags: ["timeout"],
      },
    },
    { set: { ...own, name: "more", type: "ipv4_addr" } },
    { set: { ...own, family: "ip", name: "another", type: "ipv4_addr" } },
    { counter: { family: "inet", table: "knockgate_edge-2", name: "another" } },
    { chain: { family: "inet", table: "filter", name: "input", type: "filter", hook: "input", prio: 0 } },
    { chain: { ...own, name: "input", type: "filter", hook: "input", prio: -10, policy: "accept" } },
    { counter: { ...own, name: "ssh_opened", packets: 0, bytes: 0 } },
    { chain: { ...own, name: "ssh_door" } },
    { rule: { ...own, chain: "ssh_door", expr: [{ drop: null }] } },
  ],
};
const loaded = `== listing\n|table inet knockgate_edge {\n|}\n== own\n|${JSON.stringify(table)}\n`;
const confirmed =
  "confirmed=1-2\nowner=edge-1\n== ruleset\n|what was sent\n== baseline\n|table inet knockgate_edge {\n|}\n";

function observe(stdout: string, result: Partial<CommandResult> = {}, of = policy): Promise<Observed> {
  const run = async () => ({ code: 0, stderr: "", stdout, ...result });
  return observeHost({ run, close: () => undefined }, of);
}

describe("looking at a host", () => {
  test("tells the facts of one that has nothing of ours", async () => {
    const observed = await observe(
      `${bare}kernel=6.1.0-38-amd64\nmissing=flock\nmissing=setsid\nunwritable=/var/lib\nend=probe\n`,
    );
    expect(observed).toMatchObject({
      clientAddress: "192.0.2.9",
      nftVersion: "1.0.9",
      kernelRelease: "6.1.0-38-amd64",
      missing: ["flock", "setsid"],
      init: "systemd",
      unwritable: ["/var/lib"],
    });
    for (const field of ["confirmed", "loaded", "undone"]) expect(observed).not.toHaveProperty(field);
    expect(isUnchanged(observed)).toBe(false);
  });

  test.each([
    ["openrc", "openrc"],
    ["other", "other"],
    ["something new", "other"],
  ])("tells who boots it: %s", async (said, init) => {
    const observed = await observe(
      `client=192.0.2.9\nnft=nftables v1.0.9 (Old Doc Yak #3)\ninit=${said}\nend=probe\n`,
    );
    expect(observed.init).toBe(init);
  });

  test("reads what is confirmed and what is loaded", async () => {
    const observed = await observe(`${bare}${confirmed}${loaded}end=probe\n`);
    expect(observed.confirmed).toEqual({
      owner: "edge-1",
      text: "what was sent\n",
      listing: "table inet knockgate_edge {\n}\n",
    });
    expect(observed.loaded?.listing).toBe("table inet knockgate_edge {\n}\n");
    expect(observed.loaded?.sets).toEqual([
      { name: "ssh_open_v4", type: "ipv4_addr", size: 65_536, flags: ["timeout", "dynamic"] },
      { name: "ssh_packet1_v4", type: "ipv4_addr . inet_service", size: 65_536, flags: ["timeout"] },
      { name: "more", type: "ipv4_addr", flags: [] },
    ]);
    expect(observed.loaded?.chains).toEqual([
      { name: "input", hook: "input", priority: -10 },
      { name: "ssh_door", hook: undefined, priority: undefined },
    ]);
    expect(observed.loaded?.counters).toEqual(["ssh_opened"]);
    expect(isUnchanged(observed)).toBe(true);
  });

  test("reads what iptables lists, of which there is no description", async () => {
    const listing = "== listing\n|# ipv4\n|:kg_edge - [0:0]\n|# ipv6\n";
    const iptables = readPolicy({ ...edge, backend: "iptables" });
    const version = "iptables=iptables v1.8.9 (nf_tables)\n";
    const observed = await observe(`${bare}${version}${listing}end=probe\n`, {}, iptables);
    expect(observed).toMatchObject({
      backend: "iptables",
      iptablesVersion: "iptables v1.8.9 (nf_tables)",
      loaded: { listing: "# ipv4\n:kg_edge - [0:0]\n# ipv6\n", sets: [], chains: [], counters: [] },
    });
  });

  test("asks about the table that the policy's backend and scope mean", async () => {
    const asked = async (more: object) => {
      let program = "";
      const run = async ({ commands }: Program) => {
        program = commands;
        return { code: 0, stderr: "", stdout: "end=probe\n" };
      };
      await observeHost({ run, close: () => undefined }, readPolicy({ ...edge, ...more }));
      return /^main (.*) "\$1"/m.exec(program)?.[1];
    };
    expect(await asked({})).toBe("probe edge nftables");
    expect(await asked({ backend: "iptables" })).toBe("probe edge iptables_filter");
    expect(await asked({ backend: "iptables", scope: "prerouting" })).toBe("probe edge iptables_mangle");
  });

  test("keeps the host's other tables as they were listed", async () => {
    const tables = '== tables\n|{"nftables": []}\n';
    expect((await observe(`${bare}${tables}end=probe\n`)).tables).toBe('{"nftables": []}\n');
    expect((await observe(`${bare}end=probe\n`)).tables).toBe("");
  });

  test("tells why the last change was undone", async () => {
    const observed = await observe(`${bare}== undone\n|id=1-2\n|why=not confirmed in time\nend=probe\n`);
    expect(observed.undone).toBe("not confirmed in time");
  });

  test.each([
    ["2001:db8::9", "2001:db8::9"],
    ["fe80::9%eth0", "fe80::9"],
    ["UNKNOWN", "127.0.0.1"],
    ["", "127.0.0.1"],
    ["192.0.2.9; flush ruleset", "127.0.0.1"],
  ])("takes %j for the address %s, which is safe in a ruleset", async (said, address) => {
    const observed = await observe(`${bare.replace("192.0.2.9", said)}end=probe\n`);
    expect(observed.clientAddress).toBe(address);
  });

  test.each([
    ["ends with an exit code", `${bare}end=probe\n`, { code: 1, stderr: "sh: broken\n" }],
    ["stops in the middle", bare, {}],
    ["says something else", "Welcome!\n", {}],
    ["says nothing", "", {}],
  ])("fails when the answer %s", async (_what, stdout, result) => {
    await expect(observe(stdout, result)).rejects.toMatchObject({
      code: "HOST_FAILED",
      message: expect.stringMatching(/the host could not be observed \(exit code \d\): \S/),
    });
  });

  test.each(["not json", "{}", '{"nftables":[]}', listOwn({ set: { ...own, name: 7 } })])(
    "knows that a table can only be replaced when nft describes it as %j",
    async (json) => {
      const observed = await observe(`${bare}== listing\n|table\n== own\n|${json}\nend=probe\n`);
      expect(observed.loaded).toEqual({
        listing: "table\n",
        isUndescribed: true,
        sets: [],
        chains: [],
        counters: [],
      });
    },
  );

  // nft 1.1.4 writes a single flag as a word. The priority in somebody else's table can be anything.
  test("reads its own table beside other tables, and flags in either form", async () => {
    const foreign = { family: "inet", table: "theirs" };
    const odd = [
      7,
      null,
      "text",
      { set: { ...foreign, name: 7, flags: "interval", size: "big" } },
      { set: null },
      { map: { ...foreign, type: {}, map: [] } },
      { chain: { ...foreign, prio: "filter", hook: 7, policy: {} } },
      { flowtable: "x" },
      { rule: { ...foreign, expr: "xt" } },
    ];
    const words = { set: { ...own, name: "ssh_open_v4", type: "ipv4_addr", size: 9, flags: "timeout" } };
    const base = { chain: { ...own, name: "input", hook: "input", prio: "filter - 10" } };
    const json = listOwn(...odd, words, base);
    const observed = await observe(`${bare}== listing\n|table\n== own\n|${json}\nend=probe\n`);
    expect(observed.loaded).toEqual({
      listing: "table\n",
      sets: [{ name: "ssh_open_v4", type: "ipv4_addr", size: 9, flags: ["timeout"] }],
      chains: [{ name: "input", hook: "input", priority: Number.NaN }],
      counters: [],
    });
  });

  test("tells what nft can't do there, and what it could not list", async () => {
    const said = "json=missing\nlisting=crashes\nunlisted=table ip filter\nunlisted=table ip nat\n";
    expect(await observe(`${bare}${said}end=probe\n`)).toMatchObject({
      nftJson: "missing",
      isUnlisted: true,
      unlisted: ["table ip filter", "table ip nat"],
    });
    const fit = await observe(`${bare}json=yes\nend=probe\n`);
    for (const field of ["nftJson", "isUnlisted"]) expect(fit).not.toHaveProperty(field);
  });
});

function listOwn(...entries: readonly unknown[]): string {
  return JSON.stringify({ nftables: entries });
}
