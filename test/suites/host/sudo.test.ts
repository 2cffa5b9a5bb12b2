import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import type { ConnectionInput } from "../../../src/ssh/connection";
import type { HostConnection } from "../../../src/ssh/host";
import { claimHost, connectionTo, openDeployment } from "./deployment";
import { listFiles } from "./inspection";
import { newPolicy, oldPolicy } from "./policies";
import { addUser } from "./users";

/** A password with characters that a shell could interpret. */
const password = ` it's a "secret" $HOME \\n %s ü `;

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each(["dash", "busybox"] as const)("a host with %s and sudo", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 10, shell });
  });
  afterAll(() => lab?.close());

  async function logIn(host: LabHost, more: Partial<ConnectionInput>): Promise<HostConnection> {
    const [route] = (await openDeployment(connectionTo(lab, host, more))).routes;
    if (route === undefined) throw new Error("no route");
    return route.connect(5_000);
  }

  /** sudo's own log: who was refused, and how often. */
  const countRefusals = async (host: LabHost) => {
    const { stdout } = await host.run(["sh", "-c", "cat /var/log/sudo.log 2>/dev/null || true"]);
    return (stdout.replace(/\n\s+/g, " ").match(/\d+ incorrect password attempt/g) ?? []).join();
  };

  async function prepare(more: Parameters<typeof addUser>[2]): Promise<LabHost> {
    const host = claimHost(lab);
    await addUser(host, "keeper", { password, ...more });
    await host.run(["sh", "-c", "echo 'Defaults logfile=/var/log/sudo.log' >>/etc/sudoers"]);
    return host;
  }

  test.each([
    ["root", "keeper ALL=(ALL:ALL) ALL"],
    ["root in a terminal of its own", "Defaults use_pty\nkeeper ALL=(ALL:ALL) ALL"],
  ])("that wants the password lets a program run as %s", async (_what, sudoers) => {
    const host = await prepare({ sudoers });
    const connection = await logIn(host, { user: "keeper", sudoPassword: password });
    const program = 'id -u; echo "$1"; head -c 200000 /dev/zero | tr "\\0" x; echo complaint >&2; exit 7\n';
    for (const _time of ["first", "second"]) {
      expect(await connection.run({ commands: program }, 20_000)).toEqual({
        code: 7,
        stdout: expect.stringMatching(/^0\n\S+ \d+ \S+ 22\nx{200000}$/),
        stderr: "complaint\n",
      });
    }
    connection.close();
  });

  test("makes a change and its proof by a password that is seen nowhere", async () => {
    const host = await prepare({ sudoers: "keeper ALL=(ALL:ALL) ALL" });
    const look = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null";
    const sampler = host.spawn(["sh", "-c", `while :; do ${look}; done`]);
    let sample = "";
    sampler.stdout.setEncoding("utf8").on("data", (text: string) => {
      sample += text;
    });
    const request = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
    const connection = connectionTo(lab, host, { user: "keeper", sudoPassword: password });
    const context = await openDeployment(connection);
    await changeHost(request, context);
    await changeHost({ ...request, policy: newPolicy, formerPolicies: [oldPolicy] }, context);
    sampler.kill("SIGKILL");
    expect(sample).toMatch(/sudo\0-k\0-S\0--\0sh\0-c\0/);
    const files = await host.run([
      "sh",
      "-c",
      "cat /var/log/* $(find /var/lib/knockgate /home /tmp -type f)",
    ]);
    expect(sample).toMatch(/\/bin\/sh\0-s\0--\0[\d.]+ \d+ /);
    for (const text of [sample, files.stdout, context.lines.join("\n"), host.sshdLog()]) {
      expect(text).not.toContain(password.trim());
      expect(text).not.toContain('"secret"');
    }
    expect((await listFiles(host)).length).toBeGreaterThan(0);
  });

  test("takes the login's own password when no other is given", async () => {
    const host = await prepare({ sudoers: "keeper ALL=(ALL:ALL) ALL" });
    const connection = await logIn(host, { user: "keeper", password });
    expect((await connection.run({ commands: "id -u\n" }, 10_000)).stdout).toBe("0\n");
    connection.close();
  });

  test("that lets the user run only sh, without a password, is enough", async () => {
    const host = await prepare({ sudoers: "keeper ALL=(root) NOPASSWD: /usr/bin/sh, /bin/sh" });
    const connection = await logIn(host, { user: "keeper", sudoPassword: "needless" });
    expect((await connection.run({ commands: "id -u\n" }, 10_000)).stdout).toBe("0\n");
    expect(await countRefusals(host)).toBe("");
    connection.close();
  });

  test("that refuses the password is asked only once, and the program is not run", async () => {
    const host = await prepare({ sudoers: "keeper ALL=(ALL:ALL) ALL" });
    const connection = await logIn(host, { user: "keeper", sudoPassword: "wrong-word" });
    const refused = { code: "NOT_ALLOWED", message: expect.stringContaining("did not take the password") };
    for (const _time of ["first", "second"]) {
      await expect(connection.run({ commands: "touch /tmp/ran\n" }, 20_000)).rejects.toMatchObject(refused);
    }
    expect(await countRefusals(host)).toBe("1 incorrect password attempt");
    expect((await host.run(["ls", "/tmp"])).stdout).toBe("");
    connection.close();
  });

  test("that wants a password when none is given says so, and asks for none", async () => {
    const host = await prepare({ sudoers: "keeper ALL=(ALL:ALL) ALL" });
    const context = await openDeployment(connectionTo(lab, host, { user: "keeper" }));
    const request = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
    await expect(changeHost(request, context)).rejects.toMatchObject({
      code: "NOT_ALLOWED",
      message: expect.stringMatching(
        /keeper@\S+: is not root, and sudo asks for a password\. Set connection\.sudoPassword.*Nothing was changed on the host/,
      ),
    });
    expect(await countRefusals(host)).toBe("");
  });

  test("that does not know the user says so", async () => {
    const host = await prepare({});
    const connection = await logIn(host, { user: "keeper", sudoPassword: password });
    await expect(connection.run({ commands: "id\n" }, 20_000)).rejects.toMatchObject({
      code: "NOT_ALLOWED",
      message: expect.stringContaining("does not allow this user"),
    });
    connection.close();
  });

  test("never relies on a password that sudo remembers", async () => {
    const host = await prepare({
      sudoers: "Defaults timestamp_type=global, timestamp_timeout=60\nkeeper ALL=(ALL:ALL) ALL",
    });
    const remember = "sudo -S -p '' true && sudo -n true && echo remembered";
    const { stdout } = await host.run(["setpriv", "--reuid=keeper", "--init-groups", "sh", "-c", remember], {
      stdin: `${password}\n`,
    });
    expect(stdout).toBe("remembered\n");
    const connection = await logIn(host, { user: "keeper" });
    await expect(connection.run({ commands: "id\n" }, 20_000)).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    connection.close();
  });

  test("that is missing is named", async () => {
    const host = await prepare({});
    await host.run([
      "sh",
      "-c",
      "chmod 0755 /root && : >/root/none && mount --bind /root/none /usr/bin/sudo",
    ]);
    const connection = await logIn(host, { user: "keeper", sudoPassword: password });
    await expect(connection.run({ commands: "id\n" }, 20_000)).rejects.toMatchObject({
      code: "NOT_ALLOWED",
      message: expect.stringContaining("there is no sudo there"),
    });
    connection.close();
  });
});
