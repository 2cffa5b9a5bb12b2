import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { findRoutes } from "../../../src/ssh/routes";
import { connectionThrough } from "./bastions";
import { claimHost, connectionTo, readConnection } from "./deployment";
import { reconfigureSshd } from "./sshd";

const main = join(__dirname, "..", "..", "..", "dist", "cli", "main.js");

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 4 });
});
afterAll(() => lab?.close());

/**
 * A stand-in for an sshd of OpenSSH 9.8 or newer in a penalty: it accepts a connection, sends this line and hangs up.
 */
function penalize(port: number, host: string): Promise<{ readonly server: Server; count(): number }> {
  let taken = 0;
  const server = createServer((socket) => {
    taken += 1;
    socket.on("error", () => undefined);
    socket.end("Not allowed at this time\r\n");
  });
  return new Promise((resolve) => server.listen(port, host, () => resolve({ server, count: () => taken })));
}

function knockgate(words: readonly string[]) {
  return runCommand([process.execPath, main, ...words], { check: false });
}

describe("a stand-in for an sshd that hangs up before its banner", () => {
  test("is named at a login, with PerSourcePenalties and MaxStartups as possible causes", async () => {
    const host = claimHost(lab);
    const { server } = await penalize(2_222, "127.0.0.1");
    const connection = await readConnection({ ...connectionTo(lab, host), host: "127.0.0.1", port: 2_222 });
    const [route] = (await findRoutes(connection, [])).routes;
    await expect(route?.connect(5_000)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringMatching(
        /127\.0\.0\.1:2222: the host took the connection and hung up before its SSH banner: Not allowed at this time\. .*PerSourcePenalties.*MaxStartups/,
      ),
    });
    server.close();
  });

  test("sees no connection of `knockgate knock`; --banner and `knockgate proxy` connect, and name it", async () => {
    const { server, count } = await penalize(22, "127.0.0.1");
    const knock = ["knock", "127.0.0.1", "-s", "tcp:1"];
    const plain = await knockgate(knock);
    expect([plain.code, plain.stdout, count()]).toEqual([
      0,
      expect.stringMatching(/is open after \d+ ms: port 22 of 127\.0\.0\.1 answers\n$/),
      0,
    ]);
    for (const words of [
      [...knock, "--banner"],
      ["proxy", "127.0.0.1", "22", "-s", "tcp:1"],
    ]) {
      const { code, stderr } = await knockgate(words);
      expect([code, stderr]).toEqual([
        3,
        expect.stringMatching(/Not allowed at this time.*PerSourcePenalties.*MaxStartups/),
      ]);
    }
    expect(count()).toBe(2);
    server.close();
  });
});

describe("a real sshd", () => {
  /** Takes the only login slot that sshd has. */
  async function fillStartups(host: LabHost): Promise<() => void> {
    // sshd takes the last MaxStartups of its file, so its line is changed.
    await host.run(["sed", "-i", "s/^MaxStartups .*/MaxStartups 1/", "/etc/ssh/sshd_config"]);
    await reconfigureSshd(host, []);
    const socket = connect({ host: host.ipv4, port: 22 });
    await once(socket, "data");
    return () => socket.destroy();
  }

  test("that takes no more logins (MaxStartups) is named, as a host and as a bastion", async () => {
    const [host, behind] = [claimHost(lab), claimHost(lab)];
    const end = await fillStartups(host);
    const [route] = (await findRoutes(await readConnection(connectionTo(lab, host)), [])).routes;
    await expect(route?.connect(5_000)).rejects.toThrow(/hung up before its SSH banner.*MaxStartups/);
    const through = await readConnection(connectionThrough(lab, host, behind, { dialErrorLimit: 0 }));
    await expect(findRoutes(through, [])).rejects.toThrow(/bastion \S+: the host took.*MaxStartups/);
    end();
  });

  test("sees no connection when `knockgate knock` asks its port", async () => {
    const host = claimHost(lab);
    await host.run(["nft", "-f", "-"], {
      stdin:
        "table inet seen {\ncounter acks { }\nchain input { type filter hook input priority 0; tcp dport 22 tcp flags & (syn | ack | rst) == ack counter name acks\n}\n}\n",
    });
    const count = () => host.sshdLog().split("Connection from").length;
    const before = count();
    expect((await knockgate(["knock", host.ipv4, "-s", "tcp:1"])).code).toBe(0);
    expect((await host.run(["nft", "list", "counter", "inet", "seen", "acks"])).stdout).toContain(
      "packets 0 ",
    );
    expect(count()).toBe(before);
  });
});
