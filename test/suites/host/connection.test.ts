import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { Route } from "../../../src/ssh/host";
import { findRoutes } from "../../../src/ssh/routes";
import { claimHost, connectionTo, openDeployment, readConnection } from "./deployment";

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("an SSH connection", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 7 });
  });
  afterAll(() => lab?.close());

  async function findRoute(host: LabHost, more: Parameters<typeof connectionTo>[2] = {}): Promise<Route> {
    const [route] = (await openDeployment(connectionTo(lab, host, more))).routes;
    if (route === undefined) throw new Error("no route");
    return route;
  }

  test("runs a program as root with the client's address from sshd, and returns all of its output", async () => {
    const route = await findRoute(claimHost(lab), { user: "ops" });
    const connection = await route.connect(5_000);
    const program = 'id -u; echo "$1"; head -c 300000 /dev/zero | tr "\\0" x; echo complaint >&2; exit 7\n';
    const result = await connection.run({ commands: program }, 10_000);
    connection.close();
    expect(result).toEqual({
      code: 7,
      stdout: expect.stringMatching(/^0\n\S+ \d+ \S+ 22\nx{300000}$/),
      stderr: "complaint\n",
    });
  });

  test("that the host has ended is reported as lost, sooner or later", async () => {
    const host = claimHost(lab);
    const connection = await (await findRoute(host)).connect(5_000);
    await endSessions(host);
    const lost = { code: "UNREACHABLE", message: expect.stringContaining(`root@${host.ipv4}:22`) };
    await expect(connection.run({ commands: "echo done\n" }, 5_000)).rejects.toMatchObject(lost);
    await expect(connection.run({ commands: "echo done\n" }, 5_000)).rejects.toMatchObject(lost);
  });

  test("that the host ends while a command runs is reported as lost", async () => {
    const host = claimHost(lab);
    const connection = await (await findRoute(host)).connect(5_000);
    const running = connection.run({ commands: "sleep 30\n" }, 20_000);
    const ending = pause(300).then(() => endSessions(host));
    await expect(running).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("the connection was lost while a command ran"),
    });
    await ending;
  });

  test("waits for a command only until its time limit", async () => {
    const connection = await (await findRoute(claimHost(lab))).connect(5_000);
    await expect(connection.run({ commands: "sleep 30\n" }, 300)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("no answer within 0.3 s"),
    });
    connection.close();
  });

  test("is refused when the host accepts no way to log in", async () => {
    const file = join(lab.directory, "stranger");
    await runCommand(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file]);
    const host = claimHost(lab);
    const route = await findRoute(host, { privateKey: await readFile(file, "utf8") });
    await expect(route.connect(5_000)).rejects.toMatchObject({
      code: "LOGIN_REFUSED",
      message: expect.stringContaining(host.ipv4),
    });
  });

  test.each([
    ["says something else", (socket: Socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["hangs up", (socket: Socket) => socket.end()],
    ["resets", (socket: Socket) => socket.resetAndDestroy()],
    ["speaks SSH and then nonsense", (socket: Socket) => socket.end("SSH-2.0-x\r\n\0\0\0\u0007nonsense")],
    ["says nothing", () => undefined],
  ])("to a server that %s fails, without any other effect", async (_what, answer) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      answer(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const connection = await readConnection({
      host: "127.0.0.1",
      port,
      ignoreHostKey: true,
      password: "secret",
    });
    const [route] = (await findRoutes(connection, [])).routes;
    await expect(route?.connect(500)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    server.close();
  });

  test("to a name without an address says so", async () => {
    const connection = await readConnection({ host: "nowhere.invalid", ignoreHostKey: true });
    await expect(findRoutes(connection, [])).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringMatching(/^nowhere\.invalid: its name has no address/),
    });
  });
});

/** Ends every session of sshd, not sshd itself. */
async function endSessions(host: LabHost): Promise<void> {
  const find = 'for file in /proc/[0-9]*/cmdline; do grep -aqs "^sshd: root" $file && echo $file; done; true';
  const { stdout } = await host.run(["sh", "-c", find]);
  await host.run(["kill", "-9", ...(stdout.match(/\d+/g) ?? [])]);
}
