import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { renderPolicy } from "../../../src/backends/render";
import { changeHost } from "../../../src/change/change";
import { digestText } from "../../../src/policy/digest";
import { claimHost, connectionTo, openDeployment } from "./deployment";
import { listFiles } from "./inspection";
import { newPolicy, oldPolicy } from "./policies";
import { interfere } from "./routes";

const first = { policy: oldPolicy, owner: "owner-of-edge", undoAfterSeconds: 60 };
const ports = /(?<!\w)(47001|58002|39003|41101|52102|36103|33104)(?!\w)/;

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each(["dash", "busybox"] as const)("a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 4, shell });
  });
  afterAll(() => lab?.close());

  test.each(["root", "ops"])("shows no secret in its list of processes while %s changes it", async (user) => {
    const host = claimHost(lab);
    const sampler = host.spawn(["sh", "-c", "while :; do cat /proc/[0-9]*/cmdline 2>/dev/null; done"]);
    let sample = "";
    sampler.stdout.setEncoding("latin1").on("data", (text: string) => {
      sample += text;
    });
    const connection = connectionTo(lab, host, { user });
    await changeHost(first, await openDeployment(connection));
    const wrap = interfere({ before: { confirm: () => expectPrivate() } });
    const context = await openDeployment(connection, wrap);
    await changeHost({ ...first, policy: newPolicy, formerPolicies: [oldPolicy] }, context);
    sampler.kill("SIGKILL");

    async function expectPrivate(): Promise<void> {
      const files = await listFiles(host);
      expect(files.join("\n")).toContain("/pending");
      expect(files.filter((file) => !/^(d 0700|f 0600|l) /.test(file))).toEqual([]);
    }
    // The change's commands: without them the sample would prove nothing.
    expect(sample).toMatch(/sh\0-s\0/);
    expect(sample).toMatch(/host\.sh\0edge\0/);
    const key = lab.privateKey.split("\n")[1] ?? "";
    const digest = digestText(renderPolicy(newPolicy));
    for (const secret of [key, digest, "put_file ruleset"]) expect(sample).not.toContain(secret);
    expect(sample).not.toMatch(ports);
    expect(context.lines.join("\n")).not.toMatch(ports);
  });

  test("quotes nft's complaint about a ruleset, without the ports in it", async () => {
    const host = claimHost(lab);
    const nft = `#!/bin/sh
case "$1" in
-c) echo "load:3:1-9: Error: syntax error, tcp dport 47001 udp dport 58002 { 39003 }" >&2; exit 1 ;;
esac
exec /usr/sbin/nft "$@"
`;
    await host.run(["sh", "-c", "cat >/usr/local/sbin/nft && chmod 0755 /usr/local/sbin/nft"], {
      stdin: nft,
    });
    const failure: Error = await changeHost(first, await openDeployment(connectionTo(lab, host))).catch(
      (error) => error,
    );
    expect(failure).toMatchObject({ code: "STAGE_FAILED" });
    expect(failure.message).toContain("tcp dport <secret> udp dport <secret> { <secret> }");
    expect(`${failure.stack}`).not.toMatch(ports);
  });
});
