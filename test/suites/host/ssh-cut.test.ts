import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runCommand } from "../../../lab/command";
import { type Lab, openLab } from "../../../lab/lab";
import type { Route } from "../../../src/ssh/host";
import { connectionThrough } from "./bastions";
import { byTransport, claimHost, connectionTo, openDeployment, waitUntil } from "./deployment";
import { reconfigureSshd } from "./sshd";

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("an SSH connection", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 8 });
  });
  afterAll(() => lab?.close());

  async function connect(route: Route | undefined) {
    if (route === undefined) throw new Error("no route");
    return route.connect(5_000);
  }

  test.each(["the host", "the bastion before it"])(
    "that is cut silently on the way to %s is noticed long before the command's own limit",
    async (where) => {
      const [bastion, host] = [claimHost(lab), claimHost(lab)];
      const isDirect = where === "the host";
      const input = isDirect ? connectionTo(lab, host) : connectionThrough(lab, bastion, host);
      const context = await openDeployment(input);
      const connection = await connect(context.routes[0]);
      // Two shells. One of them waits for a next command.
      await connection.run({ commands: ":\n" }, 5_000);
      const first = connection.run({ commands: "sleep 0.2\n" }, 5_000);
      await Promise.all([first, connection.run({ commands: ":\n" }, 5_000)]);
      const running = connection.run({ commands: "sleep 600\n" }, 600_000);
      const cut = await lab.swallow({ to: isDirect ? host : bastion, protocol: "any" });
      const late = connection.run({ commands: "touch /run/late\n" }, 600_000);
      late.catch(() => undefined); // looked at below
      await expect(running).rejects.toMatchObject({
        code: "UNREACHABLE",
        message: expect.stringMatching(/the connection was lost while a command ran/),
      });
      await expect(late).rejects.toMatchObject({ code: "UNREACHABLE" });
      if (isDirect) {
        await expect(running).rejects.toThrow(
          byTransport({
            ssh2: "(Keepalive timeout)",
            openssh: `(Timeout, server ${host.ipv4} not responding.)`,
          }),
        );
        const { stdout } = await runCommand([
          ...["ss", "-Htn", "state", "connected", "exclude", "time-wait", "dst", host.ipv4],
        ]);
        // The library leaves nothing that could still send the host the rest of the lost program. Of a ssh(1) that has
        // ended the kernel goes on to send what was written, for a while (docs/ssh.md).
        expect(stdout).toMatch(byTransport({ ssh2: /^$/, openssh: /^(FIN-WAIT-1 .*\n)?$/ }));
      }
      await cut.restore();
      context.close();
    },
  );

  test("closes the channel of a command that is late, so that there is room for the next", async () => {
    const host = claimHost(lab);
    await reconfigureSshd(host, ["MaxSessions 1"]);
    const context = await openDeployment(connectionTo(lab, host));
    const connection = await connect(context.routes[0]);
    expect((await connection.run({ commands: "echo first\n" }, 5_000)).stdout).toBe("first\n");
    // The program ends when its output leads nowhere any more.
    const late = connection.run({ commands: "while echo; do sleep 0.1; done\n" }, 700);
    await expect(late).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining(
        "no answer within 0.7 s to a command, which may still be running there",
      ),
    });
    expect((await connection.run({ commands: "echo next\n" }, 20_000)).stdout).toBe("next\n");
    connection.close();
  });

  // Two ssh that share a connection do not tell each other of signals.
  test.runIf(byTransport({ ssh2: true, openssh: false }))(
    "ends a command that a signal ended with the signal's name",
    async () => {
      const context = await openDeployment(connectionTo(lab, claimHost(lab)));
      const connection = await connect(context.routes[0]);
      await expect(connection.run({ commands: "kill -KILL $PPID $$\n" }, 5_000)).rejects.toMatchObject({
        code: "HOST_FAILED",
        message: expect.stringContaining("a command was ended there by SIGKILL"),
      });
      connection.close();
    },
  );

  test("leaves nothing open when it is closed", async () => {
    const [bastion, host] = [claimHost(lab), claimHost(lab)];
    const context = await openDeployment(connectionThrough(lab, bastion, host));
    const connection = await connect(context.routes[0]);
    await connection.run({ commands: "true\n" }, 5_000);
    connection.close();
    context.close();
    await waitUntil("no session is left", 10_000, async () => {
      const { stdout } = await bastion.run([
        "sh",
        "-c",
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '",
      ]);
      return !stdout.includes("sshd: plain");
    });
  });
});
