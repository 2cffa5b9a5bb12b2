import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { KnockgateError } from "../../../src/errors";
import { readStep } from "../../../src/policy/step";
import type { ConnectionInput } from "../../../src/ssh/connection";
import { allowEcho, connectionThrough, countStrangers, hideBehind, hideCommand } from "./bastions";
import { byTransport, claimHost, connectionTo, openDeployment } from "./deployment";
import { listFiles } from "./inspection";
import { makePolicy } from "./policies";
import { reconfigureSshd } from "./sshd";
import { addUser } from "./users";

const steps = [{ tcp: 47_001 }, { icmpPayloadBytes: 77 }, { udp: 58_002 }];
const knock = steps.map(readStep);
const request = { policy: makePolicy({ steps }), owner: "me", undoAfterSeconds: 60 };

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("what a bastion lacks", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 24 });
  });
  afterAll(() => lab?.close());

  /**
   * Tries a change and returns its failure. Checks that nothing was changed, and that only the bastion sent packets.
   */
  async function fail(
    prepare: (bastion: LabHost) => Promise<Partial<NonNullable<ConnectionInput["proxy"]>> | undefined>,
    more: Partial<ConnectionInput> = {},
  ): Promise<{ bastion: LabHost; host: LabHost; failure: KnockgateError }> {
    const [bastion, host] = [claimHost(lab), claimHost(lab)];
    await hideBehind(bastion, host);
    const login = await prepare(bastion);
    const before = [await host.ruleset(), await listFiles(host)];
    const connection = { ...connectionThrough(lab, bastion, host, login), ...more };
    const failure = await openDeployment(connection, undefined, knock)
      .then(async (context) => {
        await changeHost(request, context).finally(() => context.close());
        return undefined;
      })
      .catch((error: unknown) => error);
    if (!(failure instanceof KnockgateError)) throw new Error(`no such failure: ${failure}`);
    expect([await host.ruleset(), await listFiles(host)]).toEqual(before);
    expect(await countStrangers(host)).toBe(0);
    return { bastion, host, failure };
  }

  const nameOf = (bastion: LabHost, user = "plain") => `bastion ${user}@${bastion.ipv4}:22`;

  test("is perl: that is said with its name, before anything is sent to the host", async () => {
    const { bastion, failure } = await fail(async (bastion) => {
      await allowEcho(bastion);
      await hideCommand(bastion, "perl");
      return undefined;
    });
    expect(failure.code).toBe("HOST_UNFIT");
    expect(failure.message).toContain(nameOf(bastion));
    expect(failure.message).toContain("perl is not installed there");
    expect(failure.message).toContain("Nothing was sent to the host");
  });

  test("is the right to send echo requests: that is said with the remedy, when the knock has such a step", async () => {
    const { bastion, failure } = await fail(async () => undefined);
    expect(failure.code).toBe("HOST_UNFIT");
    expect(failure.message).toContain(`${nameOf(bastion)} may not send ICMP echo requests`);
    expect(failure.message).toContain("net.ipv4.ping_group_range");
    const host = claimHost(lab);
    await hideBehind(bastion, host);
    const context = await openDeployment(connectionThrough(lab, bastion, host), undefined, knock.slice(0, 1));
    context.close();
  });

  test("is a login shell that runs commands: that is said", async () => {
    const { bastion, failure } = await fail(async (bastion) => {
      await allowEcho(bastion);
      await addUser(bastion, "jumper", { shell: "/usr/sbin/nologin" });
      return { user: "jumper" };
    });
    expect(failure.code).toBe("HOST_UNFIT");
    expect(failure.message).toContain(nameOf(bastion, "jumper"));
    expect(failure.message).toMatch(
      /it did not run perl \(exit code 1.*\): is another login shell or a ForceCommand/,
    );
  });

  test("is an sshd that runs commands: that is said", async () => {
    const { bastion, failure } = await fail(async (bastion) => {
      await reconfigureSshd(bastion, ["MaxSessions 0"]);
      return undefined;
    });
    expect(failure.code).toBe("HOST_UNFIT");
    expect(failure.message).toContain(`${nameOf(bastion)}: it does not run a command: see MaxSessions`);
  });

  test("is the permission to forward: that is said, with the settings to look at", async () => {
    const { bastion, host, failure } = await fail(async (bastion) => {
      await allowEcho(bastion);
      await reconfigureSshd(bastion, ["AllowTcpForwarding no"]);
      return undefined;
    });
    expect(failure.code).toBe("HOST_UNFIT");
    expect(failure.message).toContain(
      `${nameOf(bastion)}: it does not permit forwarding to ${host.ipv4} port 22`,
    );
    expect(failure.message).toContain("Nothing was changed on the host");
  });

  test("is a known key, or the expected one: nothing is sent, not even to the bastion", async () => {
    const { bastion, host, failure } = await fail(async () => ({ hostKey: lab.hosts[0]?.hostKey }));
    expect(failure.code).toBe("HOST_KEY_MISMATCH");
    expect(failure.message).toContain(nameOf(bastion));
    expect(failure.message).toContain("connection.proxy.hostKey expects");
    const unknown = connectionThrough(lab, bastion, host, { hostKey: undefined });
    await expect(openDeployment(unknown)).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      message: expect.stringMatching(
        byTransport({
          ssh2: new RegExp(`^${bastion.ipv4}: .*Set connection\\.proxy\\.hostKey`),
          openssh: new RegExp(`^${nameOf(bastion)}: ssh knows no host key .*set hostKey`),
        }),
      ),
    });
  });

  test("is nothing, but the host behind it shows another key: that key is verified as well", async () => {
    const { host, failure } = await fail(
      async (bastion) => {
        await allowEcho(bastion);
        return undefined;
      },
      { hostKey: lab.hosts[0]?.hostKey ?? "" },
    );
    expect(failure.code).toBe("HOST_KEY_MISMATCH");
    expect(failure.message).toMatch(
      new RegExp(
        `root@${host.ipv4}:22 through bastion plain@\\S+: its host key .* connection\\.hostKey expects`,
      ),
    );
  });

  test("is a way in: the login that was refused is named", async () => {
    const { bastion, failure } = await fail(async () => ({ user: "nobody-there" }));
    expect(failure.code).toBe("LOGIN_REFUSED");
    const refused = byTransport({ ssh2: "it accepted none of the ways", openssh: "ssh could not log in" });
    expect(failure.message).toContain(`${nameOf(bastion, "nobody-there")}: ${refused}`);
    expect(failure.message).toContain(
      byTransport({
        ssh2: "connection.proxy.privateKey (ssh-ed25519 SHA256:",
        openssh: "Permission denied (publickey)",
      }),
    );
  });

  test("is a way to the host: the hop that failed is named, and why", async () => {
    const { bastion, host, failure } = await fail(
      async (bastion) => {
        await allowEcho(bastion);
        return undefined;
      },
      { port: 2_222 },
    );
    expect(failure.code).toBe("UNREACHABLE");
    expect(failure.message).toContain(
      `${nameOf(bastion)}: it could not connect to ${host.ipv4} port 2222: Connection refused`,
    );
  });

  test("is an address for the host's name: the name is looked up on the bastion, not here", async () => {
    const [bastion, host] = [claimHost(lab), claimHost(lab)];
    await Promise.all([allowEcho(bastion), hideBehind(bastion, host)]);
    const connection = { ...connectionThrough(lab, bastion, host), host: "inner.test" };
    await expect(openDeployment(connection)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining(`inner.test: its name has no address on ${nameOf(bastion)}`),
    });
    await bastion.run(["sh", "-c", `echo ${host.ipv4} inner.test >>/etc/hosts`]);
    const context = await openDeployment(connection, undefined, knock);
    await changeHost(request, context);
    context.close();
    expect(context.lines[0]).toContain(`inner.test:22 (${host.ipv4}) through ${nameOf(bastion)}`);
  });

  test("is a machine that answers: the bastion is dialled as often as its own limits say", async () => {
    const [bastion, host] = [claimHost(lab), claimHost(lab)];
    await bastion.run(["nft", "-f", "-"], {
      stdin:
        "table inet shut { counter syns {}\n chain input { type filter hook input priority 0; tcp dport 22 tcp flags syn counter name syns reject with tcp reset; }\n}\n",
    });
    const connection = connectionThrough(lab, bastion, host, { dialErrorLimit: 2 });
    await expect(openDeployment({ ...connection, dialErrorLimit: 0 })).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringMatching(new RegExp(`^${nameOf(bastion)}: .*(ECONNREFUSED|Connection refused)`)),
    });
    const { stdout } = await bastion.run(["nft", "list", "counter", "inet", "shut", "syns"]);
    expect(stdout).toContain("packets 3 ");
  });
});

describe("what this machine lacks for an echo request", () => {
  let lab: Lab;
  let path: string | undefined;
  beforeAll(async () => {
    lab = await openLab({ hosts: 1 });
    path = process.env["PATH"];
  });
  afterAll(() => {
    process.env["PATH"] = path;
    return lab?.close();
  });

  // Without PATH there is no ssh either.
  test.runIf(byTransport({ ssh2: true, openssh: false }))(
    "is perl: that is said before anything is sent",
    async () => {
      process.env["PATH"] = lab.directory;
      const connection = connectionTo(lab, claimHost(lab));
      await expect(openDeployment(connection, undefined, knock)).rejects.toMatchObject({
        code: "HOST_UNFIT",
        message: expect.stringMatching(
          /^this machine can't send ICMP echo requests.*perl is not installed.*Nothing was sent/,
        ),
      });
      await openDeployment(connection, undefined, knock.slice(0, 1));
    },
  );
});
