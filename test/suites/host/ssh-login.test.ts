import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import type { ConnectionInput } from "../../../src/ssh/connection";
import { type Agent, makeKeyFile, startAgent } from "./agents";
import { claimHost, connectionTo, openDeployment } from "./deployment";
import { oldPolicy } from "./policies";
import { reconfigureSshd } from "./sshd";
import { addUser } from "./users";

const password = "the login's own";

/** One after the other: some tests change this process's environment. */
describe("a login", () => {
  let lab: Lab;
  const agents: Agent[] = [];
  const socketBefore = process.env["SSH_AUTH_SOCK"];
  beforeAll(async () => {
    lab = await openLab({ hosts: 13 });
    delete process.env["SSH_AUTH_SOCK"];
  });
  afterEach(async () => {
    delete process.env["SSH_AUTH_SOCK"];
    await Promise.all(agents.splice(0).map((agent) => agent.close()));
  });
  afterAll(async () => {
    if (socketBefore !== undefined) process.env["SSH_AUTH_SOCK"] = socketBefore;
    await lab?.close();
  });

  /** Logs in, and returns the user's name. A way to log in that is not given does not exist. */
  async function logIn(host: LabHost, more: Partial<ConnectionInput>): Promise<string> {
    const { privateKey: _none, ...connection } = connectionTo(lab, host);
    const [route] = (await openDeployment({ ...connection, ...more })).routes;
    const opened = await route?.connect(10_000);
    const result = await opened?.run({ commands: "id -un\n" }, 10_000);
    opened?.close();
    return result?.stdout.trim() ?? "";
  }

  async function failToLogIn(host: LabHost, more: Partial<ConnectionInput>): Promise<Error> {
    return logIn(host, more).then(
      () => new Error("it was let in"),
      (error) => error,
    );
  }

  async function agentWith(...files: readonly string[]): Promise<Agent> {
    const agent = await startAgent(lab.directory);
    agents.push(agent);
    for (const file of files) await agent.add(file);
    return agent;
  }

  const labKey = () => join(lab.directory, "id_ed25519");
  const trust = async (host: LabHost, file: string) => {
    const stdin = await readFile(`${file}.pub`, "utf8");
    await host.run(["sh", "-c", "cat >>/etc/ssh/authorized_keys"], { stdin });
  };

  test.each([
    ["ed25519", "RFC4716"],
    ["rsa", "RFC4716"],
    ["rsa", "PEM"],
    ["ecdsa", "PKCS8"],
  ])("succeeds with an %s key in the form %s, encrypted or by an agent", async (type, form) => {
    const host = claimHost(lab);
    const [plain, locked] = await Promise.all([
      makeKeyFile(lab.directory, { type, form }),
      makeKeyFile(lab.directory, { type, form, passphrase: "right" }),
    ]);
    await trust(host, plain);
    await trust(host, locked);
    expect(await logIn(host, { privateKey: await readFile(plain, "utf8") })).toBe("root");
    const privateKey = await readFile(locked, "utf8");
    expect(await logIn(host, { privateKey, privateKeyPassword: "right" })).toBe("root");
    expect(await logIn(host, { agentSocketPath: (await agentWith(plain)).socket })).toBe("root");
  });

  test("asks the agent of the connection, else that of the environment, and never both", async () => {
    const host = claimHost(lab);
    const [friend, stranger] = [await agentWith(labKey()), await agentWith(await makeKeyFile(lab.directory))];
    process.env["SSH_AUTH_SOCK"] = friend.socket;
    expect(await logIn(host, {})).toBe("root");
    const failure = await failToLogIn(host, { agentSocketPath: stranger.socket });
    expect(failure).toMatchObject({ code: "LOGIN_REFUSED" });
    expect(failure.message).toContain("Tried: the keys of connection.agentSocketPath.");
    process.env["SSH_AUTH_SOCK"] = stranger.socket;
    expect(await logIn(host, { agentSocketPath: friend.socket })).toBe("root");
  });

  test("does not need an agent that is dead, and names it when it was needed", async () => {
    const host = claimHost(lab);
    process.env["SSH_AUTH_SOCK"] = join(lab.directory, "nobody");
    expect(await logIn(host, { privateKey: lab.privateKey })).toBe("root");
    const failure = await failToLogIn(host, { agentSocketPath: join(lab.directory, "nobody") });
    expect(failure).toMatchObject({ code: "LOGIN_REFUSED" });
    expect(failure.message).toContain("The agent could not be asked: Failed to connect to agent.");
  });

  test("that a host ends after too many keys fails, and is not tried again", async () => {
    const host = claimHost(lab);
    const agent = await agentWith(
      ...(await Promise.all(Array.from({ length: 8 }, () => makeKeyFile(lab.directory)))),
    );
    const { privateKey: _none, ...connection } = connectionTo(lab, host, { agentSocketPath: agent.socket });
    const context = await openDeployment({ ...connection, dialErrorLimit: 3 });
    const request = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
    await expect(changeHost(request, context)).rejects.toMatchObject({ code: "LOGIN_REFUSED" });
    const count = () => host.sshdLog().match(/Failed publickey for root/g)?.length;
    await expect.poll(count, { timeout: 5_000 }).toBe(6); // MaxAuthTries; no second login follows
  });

  test("with nothing given says what to give", async () => {
    const failure = await failToLogIn(claimHost(lab), {});
    expect(failure).toMatchObject({ code: "LOGIN_REFUSED" });
    expect(failure.message).toContain(
      "It takes publickey. Neither a key, a password nor an agent was given: set connection.privateKey",
    );
  });

  test("by a password comes after the key, and is tried once", async () => {
    const host = claimHost(lab);
    await addUser(host, "keeper", { password, sudoers: "keeper ALL=(ALL) NOPASSWD: ALL" });
    await reconfigureSshd(host, ["PasswordAuthentication yes"]);
    const stranger = await readFile(await makeKeyFile(lab.directory), "utf8");
    expect(await logIn(host, { user: "keeper", password })).toBe("root");
    expect(await logIn(host, { user: "keeper", password, privateKey: stranger })).toBe("root");
    expect(await logIn(host, { user: "keeper", password: "wrong-word", privateKey: lab.privateKey })).toBe(
      "root",
    );
    expect(host.sshdLog()).not.toContain("Failed password");
    const failure = await failToLogIn(host, { user: "keeper", password: "wrong-word" });
    expect(failure).toMatchObject({ code: "LOGIN_REFUSED" });
    expect(failure.message).toContain("It takes publickey, password. Tried: connection.password.");
    expect(`${failure.stack}`).not.toContain("wrong-word");
    const count = () => host.sshdLog().match(/Failed password/g)?.length;
    await expect.poll(count, { timeout: 5_000 }).toBe(1);
  });

  test("by a password answers a host that asks interactively", async () => {
    const host = claimHost(lab);
    await addUser(host, "keeper", { password, sudoers: "keeper ALL=(ALL) NOPASSWD: ALL" });
    await host.run(["sh", "-c", "cat >/etc/pam.d/sshd"], {
      stdin: "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n",
    });
    await reconfigureSshd(host, ["UsePAM yes", "KbdInteractiveAuthentication yes"]);
    expect(await logIn(host, { user: "keeper", password })).toBe("root");
    const failure = await failToLogIn(host, { user: "keeper", password: "wrong-word" });
    expect(failure).toMatchObject({ code: "LOGIN_REFUSED" });
    expect(failure.message).toContain("connection.password (interactively)");
  });

  test("gives a host that wants both the key and the password, in either order", async () => {
    const host = claimHost(lab);
    await addUser(host, "keeper", { password, sudoers: "keeper ALL=(ALL) NOPASSWD: ALL" });
    await reconfigureSshd(host, [
      "PasswordAuthentication yes",
      "AuthenticationMethods password,publickey publickey,password",
    ]);
    expect(await logIn(host, { user: "keeper", password, privateKey: lab.privateKey })).toBe("root");
    expect(await failToLogIn(host, { user: "keeper", password })).toMatchObject({ code: "LOGIN_REFUSED" });
    await reconfigureSshd(host, ["AuthenticationMethods password,publickey"]);
    expect(await logIn(host, { user: "keeper", password, privateKey: lab.privateKey })).toBe("root");
  });

  test("to a host that trusts only certificates is refused, and says why that may be", async () => {
    const host = claimHost(lab);
    const [authority, user] = [await makeKeyFile(lab.directory), await makeKeyFile(lab.directory)];
    await runCommand(["ssh-keygen", "-q", "-s", authority, "-I", "tester", "-n", "root", `${user}.pub`]);
    const stdin = await readFile(`${authority}.pub`, "utf8");
    await host.run(["sh", "-c", "cat >/etc/ssh/authority.pub"], { stdin });
    await reconfigureSshd(host, ["TrustedUserCAKeys /etc/ssh/authority.pub", "AuthorizedKeysFile none"]);
    const agent = await agentWith(user);
    // The same agent lets OpenSSH's own client in, so the certificate is right.
    const options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
    const argv = [
      "env",
      `SSH_AUTH_SOCK=${agent.socket}`,
      "ssh",
      ...options,
      `root@${host.ipv4}`,
      "id",
      "-un",
    ];
    expect((await runCommand(argv)).stdout).toBe("root\n");
    const failure = await failToLogIn(host, { agentSocketPath: agent.socket });
    expect(failure).toMatchObject({ code: "LOGIN_REFUSED" });
    expect(failure.message).toContain("If it trusts only certificates: those need the transport `openssh`.");
  });

  test("exchanges keys by a named group, and not by one whose prime would have to be tried first", async () => {
    const host = claimHost(lab);
    const group = "diffie-hellman-group16-sha512";
    const exchange = "diffie-hellman-group-exchange-sha256";
    const { privateKey } = lab;
    await reconfigureSshd(host, [`KexAlgorithms ${exchange},${group}`]);
    expect(await logIn(host, { privateKey })).toBe("root");
    await host.run(["sed", "-i", `s/^KexAlgorithms .*/KexAlgorithms ${exchange}/`, "/etc/ssh/sshd_config"]);
    await reconfigureSshd(host, []);
    await expect(logIn(host, { privateKey })).rejects.toMatchObject({
      code: "HOST_UNFIT",
      message: expect.stringContaining("see KexAlgorithms in sshd_config(5)"),
    });
  });
});
