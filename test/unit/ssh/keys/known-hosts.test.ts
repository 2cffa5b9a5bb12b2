import { describe, expect, test } from "vitest";
import { findKnownHost, findKnownKeys } from "../../../../src/ssh/keys/known-hosts";
import { hashName, makeKey } from "./keys";

const key = makeKey("ssh-ed25519");
const other = makeKey("ecdsa-sha2-nistp256");
const line = (patterns: string, blob = key): string =>
  `${patterns} ${blob === other ? "ecdsa-sha2-nistp256" : "ssh-ed25519"} ${blob.toString("base64")}`;

describe("known_hosts", () => {
  test.each([
    ["a plain name", line("edge.example"), "edge.example"],
    ["a name in another case", line("Edge.Example"), "edge.EXAMPLE"],
    ["an address", line("203.0.113.7"), "203.0.113.7"],
    ["an IPv6 address", line("2001:db8::7"), "2001:db8::7"],
    ["one of a list", line("other.example,edge.example,203.0.113.7"), "203.0.113.7"],
    ["a star", line("*.example"), "edge.example"],
    ["a question mark", line("edge?.example"), "edge7.example"],
    ["a name and port", line("[edge.example]:2222"), "[edge.example]:2222"],
    ["a hashed name", line(hashName("edge.example")), "edge.example"],
    ["a hashed name in another case", line(hashName("edge.example")), "Edge.Example"],
    ["a hashed name and port", line(hashName("[203.0.113.7]:2222")), "[203.0.113.7]:2222"],
    ["a comment behind the key", `${line("edge.example")} root@edge since 2019`, "edge.example"],
    ["tabs and blanks", `  ${line("edge.example").replaceAll(" ", "\t ")}  `, "edge.example"],
    ["a line break of Windows", `${line("edge.example")}\r`, "edge.example"],
  ])("finds the key by %s", async (_what, text, name) => {
    expect((await findKnownKeys(`# known hosts\n\n${text}\n`, name)).keys).toEqual([key]);
  });

  test.each([
    ["another name", line("edge.example"), "edge.example.org"],
    ["a dot that is no wildcard", line("edge.example"), "edgeXexample"],
    ["characters of regular expressions", line("(edge|.*)+[a-z].example"), "edge.example"],
    ["a name without its port", line("edge.example"), "[edge.example]:2222"],
    ["a port without its name", line("[edge.example]:2222"), "edge.example"],
    ["a negated name", line("*.example,!edge.example"), "edge.example"],
    ["a negated name that stands first", line("!edge.example,*.example"), "edge.example"],
    ["another hashed name", line(hashName("other.example")), "edge.example"],
    ["half a hashed name", line("|1|c2FsdA=="), "edge.example"],
    ["a commented line", `#${line("edge.example")}`, "edge.example"],
    ["a certificate authority", `@cert-authority ${line("*.example")}`, "edge.example"],
    ["an unknown marker", `@trusted ${line("edge.example")}`, "edge.example"],
    ["a line without a key", "edge.example ssh-ed25519", "edge.example"],
    ["a key of SSH 1", "edge.example 1024 35 1234567890123456789", "edge.example"],
    ["a key that is no base64", "edge.example ssh-ed25519 !!!!!!!!!!!!!!!!", "edge.example"],
    ["a key that is base64 of nonsense", "edge.example ssh-ed25519 bm9uc2Vuc2Utbm9uc2Vuc2U=", "edge.example"],
    ["a key cut short", line("edge.example", key.subarray(0, 11)), "edge.example"],
    ["a key of another kind than its line says", line("edge.example", makeKey("ssh-rsa")), "edge.example"],
    ["nothing", "", "edge.example"],
  ])("finds no key by %s", async (_what, text, name) => {
    expect((await findKnownKeys(`${text}\n`, name)).keys).toEqual([]);
  });

  test("lists every key of a host", async () => {
    const text = [line("edge.example"), line("203.0.113.7"), line("edge.*", other)];
    expect((await findKnownKeys(text.join("\n"), "edge.example")).keys).toEqual([key, other]);
  });

  test("never trusts a revoked key, wherever its line stands", async () => {
    const text = [line("edge.example"), line("edge.example", other), `@revoked ${line("*")}`];
    expect((await findKnownKeys(text.join("\n"), "edge.example")).keys).toEqual([other]);
    expect((await findKnownKeys(text.reverse().join("\n"), "edge.example")).keys).toEqual([other]);
  });

  test.each([
    [true, `@cert-authority ${line("*.example")}`],
    [false, `@cert-authority ${line("*.example.org")}`],
    [false, line("edge.example")],
  ])("says %s for whether a certificate authority vouches for a name", async (hasAuthority, text) => {
    expect((await findKnownKeys(`${text}\n`, "edge.example")).hasAuthority).toBe(hasAuthority);
  });

  test("lets other work go while it reads a long file, and still finds its last key", async () => {
    const many = Array.from({ length: 2_000 }, (_, index) => line(`edge${index}.example`));
    const order: string[] = [];
    const reading = findKnownKeys([...many, line("edge.example", other)].join("\n"), "edge.example");
    setImmediate(() => order.push("other work"));
    expect((await reading.finally(() => order.push("read"))).keys).toEqual([other]);
    expect(order).toEqual(["other work", "read"]);
  });
});

describe("a host at another port than 22", () => {
  const find = async (...lines: readonly string[]) =>
    (await findKnownHost(`${lines.join("\n")}\n`, "edge.example", 2_222)).keys;
  const withPort = "[edge.example]:2222";

  test("has the keys of its name and port, else those of its plain name, as ssh does", async () => {
    expect(await find(line("edge.example"))).toEqual([key]);
    expect(await find(line(hashName("edge.example")))).toEqual([key]);
    expect(await find(line("edge.example"), line(withPort, other))).toEqual([other]);
    expect(await find(line("[edge.example]:2223"))).toEqual([]);
    expect((await findKnownHost(line(withPort), "edge.example", 22)).keys).toEqual([]);
  });

  test("has no key that is revoked by either name", async () => {
    expect(await find(line("edge.example"), `@revoked ${line(withPort)}`)).toEqual([]);
    expect(await find(line("edge.example"), `@revoked ${line("edge.example")}`)).toEqual([]);
    expect(await find(line(withPort), line("edge.example", other), `@revoked ${line(withPort)}`)).toEqual([]);
    expect(
      await find(line("edge.example"), line("edge.example", other), `@revoked ${line(withPort)}`),
    ).toEqual([other]);
  });

  test("is vouched for by an authority of either name", async () => {
    for (const name of [withPort, "edge.example"]) {
      const known = await findKnownHost(`@cert-authority ${line(name)}\n`, "edge.example", 2_222);
      expect(known).toMatchObject({ keys: [], hasAuthority: true });
    }
  });
});
