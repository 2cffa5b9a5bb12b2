import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { observeHost } from "../../../src/host/script/observe";
import type { ConnectionInput } from "../../../src/ssh/connection";
import { claimHost, connectionTo, openDeployment } from "./deployment";
import { makePolicy } from "./policies";
import { addUser } from "./users";

const password = "Sesame-4711-word";
const isRoot = { code: 9, stdout: "0\n", stderr: "complaint\n" };

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("a user who is not root", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 34 });
  });
  afterAll(() => lab?.close());

  async function run(host: LabHost, more: Partial<ConnectionInput> = { sudoPassword: password }) {
    const [route] = (await openDeployment(connectionTo(lab, host, { user: "keeper", ...more }))).routes;
    if (route === undefined) throw new Error("no route");
    const opened = await route.connect(5_000);
    const program = { commands: "id -u\necho complaint >&2\nexit 9\n" };
    const results = [];
    try {
      for (const _time of ["first", "second"]) results.push(await opened.run(program, 20_000));
    } finally {
      opened.close();
    }
    return results;
  }

  async function prepare(sudoers?: string): Promise<LabHost> {
    const host = claimHost(lab);
    await addUser(host, "keeper", { password, ...(sudoers === undefined ? {} : { sudoers }) });
    return host;
  }

  /** Replaces sudo by this script. */
  async function replaceSudo(host: LabHost, text: string): Promise<void> {
    const put =
      "mkdir -p /run/none && chmod 0755 /run/none && cat >/run/none/sudo && chmod 4755 /run/none/sudo";
    await host.run(["sh", "-c", `${put} && mount --bind /run/none/sudo /usr/bin/sudo`], { stdin: text });
  }

  const hideSudo = (host: LabHost) =>
    host.run(["sh", "-c", "chmod 0755 /root && : >/root/none && mount --bind /root/none /usr/bin/sudo"]);

  const writeDoas = (host: LabHost, text: string) =>
    host.run(["sh", "-c", "cat >/etc/doas.conf && chmod 0600 /etc/doas.conf"], { stdin: text });

  test.each([
    "Defaults lecture=always",
    "Defaults use_pty",
    "Defaults log_input, log_output",
    "Defaults log_input, use_pty, lecture=always",
    "Defaults timestamp_timeout=-1, timestamp_type=global",
  ])("becomes root by sudo with the password under `%s`, which nobody writes down", async (defaults) => {
    const host = await prepare(`${defaults}\nkeeper ALL=(ALL:ALL) ALL`);
    expect(await run(host)).toEqual([isRoot, isRoot]);
    const { stdout } = await host.run([
      "sh",
      "-c",
      "find /var/log/sudo-io -type f -exec zcat -f {} + 2>/dev/null || true",
    ]);
    expect(stdout).not.toContain(password);
  });

  test.each([
    ["Defaults log_input, log_output\nkeeper ALL=(ALL:ALL) ALL", ["input", "output"]],
    ["Defaults log_input\nDefaults:keeper !log_input\nkeeper ALL=(ALL:ALL) ALL", []],
    ["keeper ALL=(ALL:ALL) LOG_OUTPUT: ALL", ["output"]],
    ["Defaults use_pty\nkeeper ALL=(ALL:ALL) ALL", []],
  ])("is observed with what sudo keeps of programs: %j", async (sudoers, kept) => {
    const input = connectionTo(lab, await prepare(sudoers), { user: "keeper", sudoPassword: password });
    const opened = await (await openDeployment(input)).routes[0]?.connect(5_000);
    if (opened === undefined) throw new Error("no route");
    expect((await observeHost(opened, makePolicy())).sudoLogs).toEqual(kept);
    opened.close();
  });

  const refusals = [
    [
      "requiretty",
      "Defaults:keeper requiretty\nkeeper ALL=(ALL:ALL) ALL",
      /sudo needs a terminal: switch requiretty off/,
    ],
    [
      "requiretty and NOPASSWD",
      "Defaults requiretty\nkeeper ALL=(ALL:ALL) NOPASSWD: ALL",
      /sudo needs a terminal/,
    ],
    ["no line", "# none", /sudo does not allow this user to run `sh`/],
    [
      "another command only",
      "keeper ALL=(root) NOPASSWD: /usr/bin/id",
      /sudo does not allow this user to run `sh`/,
    ],
  ] as const;

  test.each(refusals)(
    "is told sudo's complaint about sudoers with %s, and nothing else",
    async (_what, sudoers, why) => {
      const host = await prepare(sudoers);
      const failure: unknown = await run(host).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "NOT_ALLOWED", message: expect.stringMatching(why) });
      expect(String(failure)).not.toContain(password);
      expect(String(failure)).not.toContain("did not take the password");
    },
  );

  test("is told an unknown complaint in sudo's own words, and sends no password then", async () => {
    const host = await prepare("keeper ALL=(ALL:ALL) ALL");
    await host.run(["chmod", "0666", "/etc/sudoers"]);
    await expect(run(host)).rejects.toMatchObject({
      code: "NOT_ALLOWED",
      message: expect.stringMatching(/sudo did not let this user run `sh`: sudo: .*world writable/),
    });
  });

  test("is told what sudo said where the login speaks another language", async () => {
    const host = await prepare("Defaults requiretty\nkeeper ALL=(ALL:ALL) ALL");
    await host.run([
      "sh",
      "-c",
      "sed -i '/^keeper:/s,/bin/sh,/bin/bash,' /etc/passwd; echo 'export LC_ALL=de_DE.UTF-8 LANGUAGE=de' >/home/keeper/.bashrc",
    ]);
    await expect(run(host)).rejects.toMatchObject({
      message: expect.stringContaining("sudo needs a terminal"),
    });
  });

  test("is told of an account that is locked, without the words that followed the password", async () => {
    const host = await prepare("keeper ALL=(ALL:ALL) ALL");
    await host.run([
      "sh",
      "-c",
      "printf 'auth required pam_permit.so\\naccount required pam_deny.so\\n' >/etc/pam.d/sudo",
    ]);
    await expect(run(host)).rejects.toMatchObject({
      code: "NOT_ALLOWED",
      message: expect.stringContaining("account is not valid"),
    });
  });

  /** A stand-in for sudo-rs 0.2.5: it has no `-p`, and reads all available input together with the password. */
  const readsAhead = `#!/usr/bin/perl -U
my ($reset, $quiet, $stdin);
while (@ARGV and $ARGV[0] =~ /^-/) {
  my $word = shift;
  last if $word eq '--';
  if ($word eq '-k') { $reset = 1 } elsif ($word eq '-n') { $quiet = 1 } elsif ($word eq '-S') { $stdin = 1 }
  else { print STDERR "sudo: invalid option '$word'\\n"; exit 1 }
}
if ($quiet) { print STDERR "sudo: interactive authentication is required\\n"; exit 1 }
print STDERR '[sudo: authenticate] Password: ';
select(undef, undef, undef, 0.3);
sysread(STDIN, my $read, 65536);
my ($first) = split /\\n/, $read;
if ($first ne '${password}') { print STDERR "sudo: Authentication failed, try again.\\n"; exit 1 }
exec '/run/none/real', '-n', '--', @ARGV;
`;

  test("becomes root by a stand-in for a sudo that reads ahead, which swallows no part of a program", async () => {
    const host = await prepare("keeper ALL=(ALL:ALL) NOPASSWD: ALL");
    await host.run(["sh", "-c", "mkdir /run/none && cp -p /usr/bin/sudo /run/none/real"]);
    await replaceSudo(host, readsAhead);
    expect(await run(host)).toEqual([isRoot, isRoot]);
    await expect(run(host, { sudoPassword: "wrong" })).rejects.toMatchObject({
      message: expect.stringContaining("sudo did not take the password"),
    });
  });

  test("is told nothing of what sudo said after the password, where that is unknown", async () => {
    const host = await prepare();
    await replaceSudo(
      host,
      `#!/bin/sh\ncase $* in *-n*) echo "sudo: a password is required" >&2; exit 1 ;; esac\nread -r p; echo "what is \${p#S}?" >&2; exit 1\n`,
    );
    const failure: unknown = await run(host).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "NOT_ALLOWED",
      message: expect.stringContaining("run `sudo sh` there by hand"),
    });
    expect(String(failure)).not.toContain(password.slice(1));
  });

  test.each(["permit nopass keeper", "permit nopass keeper as root cmd sh"])(
    "becomes root by doas where there is no sudo: `%s`",
    async (line) => {
      const host = await prepare();
      await hideSudo(host);
      await writeDoas(host, `${line}\n`);
      expect(await run(host)).toEqual([isRoot, isRoot]);
      expect(await run(host, {})).toEqual([isRoot, isRoot]);
    },
  );

  test("becomes root by doas where sudo refuses", async () => {
    const host = await prepare();
    await writeDoas(host, "permit nopass keeper\n");
    expect(await run(host)).toEqual([isRoot, isRoot]);
  });

  test.each([
    ["permit keeper", /no sudo there, and doas asks for a password.*permit nopass USER as root cmd sh/],
    [
      "permit nopass other",
      /no sudo there, and doas did not let this user run `sh`: doas: Operation not permitted/,
    ],
    ["permit nopass keeper as root cmd id", /doas: Operation not permitted/],
    ["permit nopas keeper", /doas: .*syntax error/],
  ])("is told why doas refuses: `%s`", async (line, why) => {
    const host = await prepare();
    await hideSudo(host);
    await writeDoas(host, `${line}\n`);
    await expect(run(host)).rejects.toMatchObject({
      code: "NOT_ALLOWED",
      message: expect.stringMatching(why),
    });
  });
});
